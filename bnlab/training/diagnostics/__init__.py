"""Measurements of a network beside its training."""
