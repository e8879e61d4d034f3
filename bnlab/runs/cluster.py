"""The workers: processes of our own, or a Dask cluster's."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any

import dask
import psutil
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster

ANSWER_SECONDS = 5
SETTINGS: dict[str, Any] = {
    "distributed.worker.daemon": True,
    # A killed worker's successor has TensorFlow to import before it answers; Dask would give it up after 15 s.
    "distributed.deploy.lost-worker-timeout": "120s",
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
            return Client(address, set_as_default=False, timeout=ANSWER_SECONDS)
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(f"No Dask scheduler answers at BNLAB_SCHEDULER={address}.") from error
    dask.config.set(SETTINGS)  # for good: some are read only when a worker is lost
    _silence_dask()
    try:
        with _deaf_to_ctrl_c():
            return Client(_local_cluster(workers or CPU_COUNT), set_as_default=False)
    except RuntimeError as error:  # a nanny's, whose process ended while it started
        raise ClusterError("The worker processes could not be started.") from error


def worker_addresses(client: Client) -> list[str]:
    """The workers that can be given work now."""
    return list(client.scheduler_info(n_workers=-1)["workers"])


def is_short_of_workers(client: Client) -> bool:
    """Whether a process of our own cluster is missing; on somebody else's that is not for us to say."""
    return client.cluster is not None and len(worker_addresses(client)) < len(client.cluster.worker_spec)


def _silence_dask() -> None:
    """For good: `silence_logs` ends with the cluster, and what is still being sent then is logged with a traceback."""
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(logging.CRITICAL)


def _local_cluster(workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",  # None would still take port 8787
        memory_limit=0,  # Dask would pause a worker whose network is large, and its run with it
        silence_logs=logging.CRITICAL,
        preload=["bnlab.runs.worker"],
    )


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """The terminal sends Ctrl-C to every process: those started here leave it to ours, which ends them in order."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # its start would take the block away again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def disconnect(client: Client) -> None:
    """Close the client, and its cluster if it is our own."""
    cluster = client.cluster
    if cluster is not None:
        _end_workers(cluster)
    with suppress(TimeoutError, RuntimeError):  # a scheduler that is gone already
        client.close(timeout=5)
    if cluster is not None:
        with suppress(TimeoutError, RuntimeError):  # a worker that was still starting
            cluster.close(timeout=5)


def _end_workers(cluster: LocalCluster) -> None:
    """Kill the workers instead of asking: TensorFlow takes seconds to leave, and the store has what they trained."""
    for nanny in list(cluster.workers.values()):
        nanny.auto_restart = False
        if nanny.pid is not None:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(nanny.pid).kill()
