"""bnlab: batch-normalization variants, trained side by side and compared honestly."""

import logging

__version__ = "0.1.0"

# Who imports bnlab decides whether it logs: without a handler, Python would write bare warnings to the terminal.
logging.getLogger(__name__).addHandler(logging.NullHandler())
