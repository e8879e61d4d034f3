"""Keras models, datasets, folding and model files from specs."""
