"""What to train, as plain data: specs, networks, comparisons and the registries that they choose from."""
