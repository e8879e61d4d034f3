"""The notebook's statements as experiments: what is compared, the statistics of it, and the verdict."""
