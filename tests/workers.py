"""Workers shared by many tests: starting them for every server and scheduler would take most of the time.

The fixture `scheduler` is the address of their scheduler, for `BNLAB_SCHEDULER`.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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
    servers = {child.pid for child in children if child.ppid() == os.getpid()} if sys.platform == "linux" else set()
    return [child for child in children if child.pid not in servers and _is_loaded_worker(child)]


def _is_loaded_worker(process: psutil.Process) -> bool:
    """Whether this is a worker with TensorFlow; a process that has ended meanwhile, also a zombie, is none."""
    try:
        is_spawned = any("multiprocessing" in argument for argument in process.cmdline())
        return is_spawned and process.memory_info().rss > SIZE_WITH_TENSORFLOW
    except psutil.NoSuchProcess:
        return False


def has_ended(process: psutil.Process) -> bool:
    """Whether a process has ended, also where nobody has asked for its exit status yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def kill_tree(pid: int) -> None:
    """Kill a process and all that it has started; those that have ended already are left out."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.Process(pid).kill()
