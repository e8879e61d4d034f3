"""Waiting for other processes."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    """Return as soon as `condition` holds; fail if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
