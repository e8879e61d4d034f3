"""The worker processes: a local Dask cluster, or an external one."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any

import dask
import psutil
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster
from distributed.utils import get_mp_context

CONNECT_TIMEOUT_SECONDS = 5
CLOSE_TIMEOUT_SECONDS = 5
DASK_SETTINGS: dict[str, Any] = {
    "distributed.worker.daemon": True,
    # A restarted worker imports TensorFlow before it responds; by default Dask would give it up after 15 s.
    "distributed.deploy.lost-worker-timeout": "120s",
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"},
    # Forked workers share the import of TensorFlow, which takes seconds and 200 MB; macOS's libraries may crash then.
    "distributed.worker.multiprocessing-method": "forkserver" if sys.platform == "linux" else "spawn",
}


class ClusterError(RuntimeError):
    """The workers are not available; `str()` is one sentence for the user."""


def connect(address: str | None, workers: int | None = None) -> Client:
    """A client of the Dask scheduler at `address`, or by default of a new local cluster.

    The processes of a local cluster have one thread each; by default there is one per core.

    Raises:
        ClusterError: no scheduler responds at `address`, or the local cluster does not start.
    """
    if address is not None:
        try:
            return Client(address, set_as_default=False, timeout=CONNECT_TIMEOUT_SECONDS)
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(_no_answer_text(address)) from error
    dask.config.set(DASK_SETTINGS)  # not only for the start: some are read when a worker is lost
    _silence_dask()
    try:
        with _block_interrupts():
            return Client(_start_local_cluster(workers or CPU_COUNT), set_as_default=False)
    except RuntimeError as error:  # raised by a nanny whose process has ended during its start
        raise ClusterError("The worker processes could not be started.") from error


def disconnect(client: Client) -> None:
    """Close the client, and its cluster if it is a local one."""
    cluster = client.cluster
    if cluster is not None:
        _kill_workers(cluster)
    with suppress(TimeoutError, RuntimeError):  # the scheduler may have ended already
        client.close(timeout=CLOSE_TIMEOUT_SECONDS)
    if cluster is not None:
        with suppress(TimeoutError, RuntimeError):  # a worker may still be starting
            cluster.close(timeout=CLOSE_TIMEOUT_SECONDS)


def worker_addresses(client: Client, address: str | None = None) -> list[str]:
    """The addresses of the connected workers; `address` is that of an external scheduler.

    Raises:
        ClusterError: the scheduler no longer responds.
    """
    info = client.scheduler_info(n_workers=-1)
    if "workers" not in info:
        raise ClusterError(_no_answer_text(address))
    return list(info["workers"])


def is_missing_workers(client: Client) -> bool:
    """Whether a process of the local cluster is missing; False for an external cluster, whose size is not known."""
    return client.cluster is not None and len(worker_addresses(client)) < len(client.cluster.worker_spec)


def _no_answer_text(address: str | None) -> str:
    return f"No Dask scheduler answers at BNLAB_SCHEDULER={address}." if address else "The workers are being restarted."


def _silence_dask() -> None:
    """Silence Dask's logger beyond the end of the cluster, when lost messages are logged with a traceback."""
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(logging.CRITICAL)


def _start_local_cluster(workers: int) -> LocalCluster:
    get_mp_context().set_forkserver_preload(["distributed", "bnlab.runs.worker_preload"])  # without effect on "spawn"
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",  # None would still bind port 8787
        memory_limit=0,  # Dask would pause a worker whose network is large, and its run with it
        silence_logs=logging.CRITICAL,
        preload=["bnlab.runs.worker"],
        # The process that workers are forked from keeps the settings of its own start.
        env={name: value for name, value in os.environ.items() if name.startswith("BNLAB_")},
    )


@contextmanager
def _block_interrupts() -> Iterator[None]:
    """Make processes started in this context ignore Ctrl-C, which the terminal sends to all; `disconnect` ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # its start would unblock the signal
    previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)


def _kill_workers(cluster: LocalCluster) -> None:
    """Kill the workers instead of closing them: TensorFlow takes seconds to exit, and all results are in the store."""
    for nanny in list(cluster.workers.values()):
        nanny.auto_restart = False
        if nanny.pid is not None:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(nanny.pid).kill()
