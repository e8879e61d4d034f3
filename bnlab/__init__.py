"""bnlab: batch-normalization variants, trained side by side and compared honestly."""

__version__ = "0.1.0"
