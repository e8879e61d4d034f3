"""Two warm workers for a whole test session: starting them anew for every server and lab would take most of its time.

``scheduler`` is their scheduler's address, for ``BNLAB_SCHEDULER``; ``worker_processes`` finds and may kill them.
"""

import logging
from collections.abc import Iterator

import psutil
import pytest

from bnlab.runs.cluster import connect, disconnect

SIZE_WITH_TENSORFLOW = 300e6


@pytest.fixture(scope="session")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with two warm workers."""
    client = connect(None, workers=2)
    yield client.scheduler_info()["address"]
    logging.disable()  # Dask takes leave on a stream that pytest has closed
    disconnect(client)


def worker_processes() -> list[psutil.Process]:
    """The processes below this one that hold TensorFlow; a browser's can be as large."""
    children = psutil.Process().children(recursive=True)
    spawned = [child for child in children if any("multiprocessing" in word for word in child.cmdline())]
    return [child for child in spawned if child.memory_info().rss > SIZE_WITH_TENSORFLOW]
