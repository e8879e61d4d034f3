"""Workers shared by many tests: starting them for every server and scheduler would take most of the time.

The fixture `scheduler` is the address of their scheduler, for `BNLAB_SCHEDULER`.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import dask
import psutil
import pytest
from distributed import Client

from bnlab.runs.cluster import DASK_SETTINGS, disconnect, start_local_cluster

SIZE_WITH_TENSORFLOW = 300e6


@pytest.fixture(scope="session")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with two workers."""
    with running_scheduler(workers=2) as address:
        yield address
    logging.disable()  # Dask would log to a stream that pytest has closed


@contextmanager
def running_scheduler(workers: int) -> Iterator[str]:
    """Start a scheduler with workers, to which anybody may connect; yields its address."""
    dask.config.set(DASK_SETTINGS)
    client = Client(start_local_cluster(workers, None), set_as_default=False)
    try:
        yield client.scheduler_info()["address"]
    finally:
        disconnect(client)


def worker_processes() -> list[psutil.Process]:
    """The worker processes of this process that have loaded TensorFlow, without the one that they are forked from."""
    children = psutil.Process().children(recursive=True)
    spawned = [child for child in children if any("multiprocessing" in argument for argument in child.cmdline())]
    servers = {child.pid for child in spawned if child.ppid() == os.getpid()} if sys.platform == "linux" else set()
    workers = [child for child in spawned if child.pid not in servers]
    return [child for child in workers if child.memory_info().rss > SIZE_WITH_TENSORFLOW]
