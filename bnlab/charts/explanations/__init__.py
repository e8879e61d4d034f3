"""The figures that explain batch normalization; their data is computed here, with NumPy alone."""
