"""The notebook's statements as experiments: the comparisons, their statistics and the verdicts."""
