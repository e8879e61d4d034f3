"""Benchmarks: ratios of durations measured side by side in one run, since no test depends on the clock."""
