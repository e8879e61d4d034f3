"""Runs: where they are kept, who trains them, and what is read back from them."""
