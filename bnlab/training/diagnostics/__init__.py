"""Measurements of a network at given steps of its training."""
