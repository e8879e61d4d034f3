"""Where a trial and the literature differ, and why we think so; written after the runs, by claim."""

DISCUSSIONS: dict[str, str] = {}
