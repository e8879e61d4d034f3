"""The worker processes: a local Dask cluster, or an external one."""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import dask
import psutil
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster
from distributed.security import Security
from distributed.utils import get_mp_context

from bnlab.runs.config import Settings

CONNECT_TIMEOUT_SECONDS = 5
CLOSE_TIMEOUT_SECONDS = 5
RESTART_TIMEOUT_SECONDS = 10
DASK_SETTINGS: dict[str, Any] = {
    "distributed.worker.daemon": True,
    # A restarted worker imports TensorFlow before it responds; by default Dask would give it up after 15 s.
    "distributed.deploy.lost-worker-timeout": "120s",
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"},
    # Forked workers share the import of TensorFlow, which takes seconds and 200 MB; macOS's libraries may crash then.
    "distributed.worker.multiprocessing-method": "forkserver" if sys.platform == "linux" else "spawn",
    # Dask's own pages are not used, and their servers would answer every user of the machine.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
TLS_VARIABLES = ("BNLAB_SCHEDULER_CA", "BNLAB_SCHEDULER_CERT", "BNLAB_SCHEDULER_KEY")


class ClusterError(RuntimeError):
    """The workers are not available; `str()` is one sentence for the user."""


def connect(address: str | None, workers: int | None = None, store_url: str | None = None) -> Client:
    """A client of the Dask scheduler at `address`, or by default of a new local cluster.

    The processes of a local cluster have one thread each; by default there is one per core. They accept only
    connections with a certificate that is made for this cluster and kept in memory: whoever can connect to a Dask
    scheduler can run code in it.

    Args:
        address: by default a local cluster is started. With the settings' certificates it begins with ``tls://``.
        workers: the number of processes of a local cluster.
        store_url: their store, with its password; by default that of the environment.

    Raises:
        ClusterError: no scheduler responds at `address`, or the local cluster does not start.
    """
    if address is not None:
        security = _scheduler_security(Settings(), address)
        try:
            return Client(address, set_as_default=False, timeout=CONNECT_TIMEOUT_SECONDS, security=security)
        except (OSError, ValueError, TypeError, TimeoutError) as error:
            raise ClusterError(_no_answer_text(address)) from error
    dask.config.set(DASK_SETTINGS)  # not only for the start: some are read when a worker is lost
    _silence_dask()
    try:
        with _block_interrupts():
            cluster = start_local_cluster(workers or CPU_COUNT, Security.temporary(), store_url)
            return Client(cluster, set_as_default=False)
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
    # Not `Client.scheduler_info`: it returns what the client keeps, from which its own thread removes the workers every
    # other second.
    try:
        if client.status != "running" or client.scheduler is None:
            raise ClusterError(_no_answer_text(address))
        return list(client.sync(client.scheduler.identity, n_workers=-1)["workers"])
    except (OSError, TimeoutError) as error:
        raise ClusterError(_no_answer_text(address)) from error


def kill_worker(client: Client, worker: str) -> None:
    """Kill the process of the worker with this address; its nanny, if it has one, starts another one."""
    if client.cluster is None:
        with suppress(OSError, TimeoutError, ValueError):  # it has no nanny, or has just ended
            client.restart_workers([worker], timeout=RESTART_TIMEOUT_SECONDS, raise_for_error=False)
        return
    for nanny in list(client.cluster.workers.values()):
        if nanny.worker_address == worker and nanny.pid is not None:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(nanny.pid).kill()


def is_missing_workers(client: Client) -> bool:
    """Whether a process of the local cluster is missing; False for an external cluster, whose size is not known."""
    return client.cluster is not None and len(worker_addresses(client)) < len(client.cluster.worker_spec)


def _no_answer_text(address: str | None) -> str:
    if not address:
        return "The workers are being restarted."
    certificates = ", or it does not accept the certificates" if address.startswith("tls://") else ""
    return f"No Dask scheduler answers at BNLAB_SCHEDULER={address}{certificates}."


def _scheduler_security(settings: Settings, address: str) -> Security | None:
    """The certificates of the settings; None, for those of Dask's own configuration, if there are none."""
    paths = (settings.scheduler_ca, settings.scheduler_cert, settings.scheduler_key)
    if not any(paths):
        return None
    if missing := [name for name, path in zip(TLS_VARIABLES, paths, strict=True) if path is None]:
        raise ClusterError(f"{' and '.join(missing)} must be set too, or none of {', '.join(TLS_VARIABLES)}.")
    if not address.startswith("tls://"):
        raise ClusterError(f"With {TLS_VARIABLES[0]}, BNLAB_SCHEDULER must begin with tls://, as {address} does not.")
    for name, path in zip(TLS_VARIABLES, paths, strict=True):
        if not os.access(path or Path(), os.R_OK):
            raise ClusterError(f"{name} names a file that bnlab cannot read.")
    ca, certificate, key = map(str, paths)
    return Security(require_encryption=True, tls_ca_file=ca, tls_client_cert=certificate, tls_client_key=key)


def _silence_dask() -> None:
    """Silence Dask's logger beyond the end of the cluster, when lost messages are logged with a traceback."""
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(logging.CRITICAL)


def start_local_cluster(workers: int, security: Security | None, store_url: str | None = None) -> LocalCluster:
    """Start so many processes with one thread each; see `connect`."""
    get_mp_context().set_forkserver_preload(["distributed", "bnlab.runs.worker_preload"])  # without effect on "spawn"
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",  # None would still bind port 8787
        memory_limit=0,  # Dask would pause a worker whose network is large, and its run with it
        silence_logs=logging.CRITICAL,
        security=security,
        preload=["bnlab.runs.worker"],
        # The process that workers are forked from keeps the settings of its own start.
        env=_worker_environment(store_url),
    )


def _worker_environment(store_url: str | None) -> Mapping[str, str]:
    settings = {name: value for name, value in os.environ.items() if name.startswith("BNLAB_")}
    return settings if store_url is None else settings | {"BNLAB_STORE": store_url}


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
