"""The same lab without a browser."""
