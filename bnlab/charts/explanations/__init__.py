"""The small figures that explain batch normalization: everything is computed here, with NumPy alone."""
