"""The workers: processes of our own, or a Dask cluster's."""

import logging
from typing import Any

import dask
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster

SETTINGS: dict[str, Any] = {
    "distributed.worker.daemon": True,
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"},
}


class ClusterError(RuntimeError):
    """The workers cannot be had; `str()` is one sentence for the user."""


def connect(address: str | None, workers: int | None = None) -> Client:
    """A client of the scheduler at `address`, or of a new LocalCluster: one single-threaded process a core.

    Raises:
        ClusterError: nothing answers at `address`.
    """
    if address is not None:
        try:
            return Client(address, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(f"No Dask scheduler answers at BNLAB_SCHEDULER={address}.") from error
    with dask.config.set(SETTINGS):
        cluster = LocalCluster(
            n_workers=workers or CPU_COUNT,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # None would still take port 8787
            memory_limit=0,  # Dask would pause a worker whose network is large, and its run with it
            silence_logs=logging.CRITICAL,
            preload=["bnlab.runs.warm"],
        )
    return Client(cluster, set_as_default=False)


def disconnect(client: Client) -> None:
    """Close the client, and its cluster if it is our own."""
    cluster = client.cluster
    client.close(timeout=5)
    if cluster is not None:
        cluster.close(timeout=5)
