"""The command line, `python -m bnlab`."""
