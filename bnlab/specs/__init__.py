"""Plain data: what a run is, what its network looks like, and the named comparisons."""
