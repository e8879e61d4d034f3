"""Live updates: what pages show of running work, sent to browsers as event streams."""
