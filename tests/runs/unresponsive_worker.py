"""Slices as they are called on workers, that do not look for what the store says."""

import time

from bnlab.runs.run import RunState
from bnlab.runs.worker import train_slice


def unresponsive_slice(store_url: str, digest: str, fence: int) -> RunState:
    """Train a slice, then do not end."""
    train_slice(store_url, digest, fence)
    time.sleep(600)
    return RunState.RUNNING
