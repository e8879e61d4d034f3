"""A scheduler address without a scheduler, and logging after the end of a cluster."""

import asyncio
import http.client
import logging
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from distributed.comm import connect as dask_connect
from distributed.security import Security

from bnlab.runs.cluster import TLS_VARIABLES, ClusterError, connect, disconnect, worker_addresses
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.asgi import run_async
from tests.local_http import open_local
from tests.waiting import wait_until


def test_an_unreachable_scheduler_is_a_sentence_and_the_runs_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bnlab.runs.cluster.CONNECT_TIMEOUT_SECONDS", 1)
    scheduler = Scheduler(store, scheduler="tcp://127.0.0.1:9")
    try:
        run = scheduler.launch(RunSpec(), "waiting")
        wait_until(lambda: scheduler.problem != "")
        assert scheduler.problem == "No Dask scheduler answers at BNLAB_SCHEDULER=tcp://127.0.0.1:9."
        assert store.run(run.digest).state is RunState.QUEUED
    finally:
        scheduler.close()


@pytest.mark.slow
@pytest.mark.workers
@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="Windows has priority classes")
def test_workers_have_a_lower_priority_than_the_app_also_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_WORKER_NICENESS", "7")
    client = connect(None, workers=1)
    lowered = min(os.getpriority(os.PRIO_PROCESS, 0) + 7, 19)
    try:
        ((pid, priority),) = client.run(pid_and_priority).values()
        assert priority == lowered
        killed = worker_addresses(client)
        psutil.Process(pid).kill()
        wait_until(lambda: worker_addresses(client) not in ([], killed))
        assert [priority for _, priority in client.run(pid_and_priority).values()] == [lowered]
    finally:
        disconnect(client)


def pid_and_priority() -> tuple[int, int]:
    return os.getpid(), os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.slow
@pytest.mark.workers
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each worker imports TensorFlow")
def test_workers_share_one_import_of_tensorflow() -> None:
    client = connect(None, workers=2)
    try:
        parents = set(client.run(os.getppid).values())
        assert len(parents) == 1
        assert parents != {os.getpid()}
        assert set(client.run(lambda: "tensorflow" in sys.modules).values()) == {True}
    finally:
        disconnect(client)


@pytest.mark.slow
@pytest.mark.workers
def test_no_worker_seems_lost_while_the_client_refreshes_what_it_keeps(scheduler: str) -> None:
    """What it keeps has no workers: a run whose worker seems to die four times fails."""
    client = connect(scheduler)
    ended = threading.Event()

    def refresh() -> None:
        while not ended.is_set():
            client.sync(client._update_scheduler_info)

    thread = threading.Thread(target=refresh)
    thread.start()
    try:
        assert {len(worker_addresses(client)) for _ in range(200)} == {2}
    finally:
        ended.set()
        thread.join()
        disconnect(client)


@pytest.mark.slow
@pytest.mark.workers
def test_nobody_else_can_connect_to_a_local_cluster() -> None:
    """Whoever connects to a Dask scheduler can run code in the app."""
    others = listening_ports()  # the scheduler of other tests
    client = connect(None, workers=1)
    try:
        ((pid, _),) = client.run(pid_and_priority).values()
        assert pid != os.getpid()
        listening = listening_ports() - others
        assert client.scheduler_info()["address"].startswith("tls://")
        assert len(listening) >= 3, "scheduler, nanny, worker"
        for port in listening:
            for protocol, security in (("tcp", None), ("tls", Security.temporary())):
                assert not answers(f"{protocol}://127.0.0.1:{port}", security)
            assert not is_page(f"http://127.0.0.1:{port}/info/main/workers.html")
    finally:
        disconnect(client)


def listening_ports() -> set[int]:
    """The TCP ports on which this process and those that it started listen."""
    connections = []
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            connections += process.net_connections("tcp")
    return {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}


def answers(address: str, security: Security | None) -> bool:
    """Whether a Dask process answers there. A client would try again until its timeout."""

    async def ask() -> None:
        arguments = security.get_connection_args("client") if security else {}
        comm = await asyncio.wait_for(dask_connect(address, timeout=2, **arguments), 4)
        try:
            await comm.write({"op": "identity", "reply": True})
            await asyncio.wait_for(comm.read(), 2)
        finally:
            comm.abort()

    try:
        run_async(ask())
    except (OSError, TimeoutError, ValueError):
        return False
    return True


def is_page(url: str) -> bool:
    try:
        with open_local(url, timeout=2) as answer:
            return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False


@pytest.mark.parametrize(
    ("files", "address", "named"),
    [
        (["BNLAB_SCHEDULER_CA"], "tls://127.0.0.1:9", "BNLAB_SCHEDULER_CERT and BNLAB_SCHEDULER_KEY"),
        (list(TLS_VARIABLES), "tcp://127.0.0.1:9", "tls://"),
        (list(TLS_VARIABLES[:2]), "tls://127.0.0.1:9", "BNLAB_SCHEDULER_KEY"),
        ([], "tls://127.0.0.1:9", "certificates"),
    ],
)
def test_certificates_that_do_not_fit_are_a_sentence(
    files: list[str], address: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file.pem").write_text("no certificate")
    for name in files:
        monkeypatch.setenv(name, str(tmp_path / "file.pem"))
    monkeypatch.setattr("bnlab.runs.cluster.CONNECT_TIMEOUT_SECONDS", 1)
    with pytest.raises(ClusterError, match=named) as caught:
        connect(address)
    assert str(caught.value).endswith(".")


def test_a_certificate_that_is_missing_or_none_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnlab.runs.cluster.CONNECT_TIMEOUT_SECONDS", 1)
    for name in TLS_VARIABLES:
        monkeypatch.setenv(name, str(tmp_path / "file.pem"))
    with pytest.raises(ClusterError, match="BNLAB_SCHEDULER_CA names a file that bnlab cannot read"):
        connect("tls://127.0.0.1:9")
    (tmp_path / "file.pem").write_text("no certificate")
    with pytest.raises(ClusterError, match="certificates"):
        connect("tls://127.0.0.1:9")


@pytest.mark.slow
@pytest.mark.workers
def test_dask_logging_is_silent_after_disconnect() -> None:
    handlers = logging.getLogger("distributed").handlers
    assert handlers
    disconnect(connect(None, workers=1))
    assert [handler.level for handler in handlers] == [logging.CRITICAL] * len(handlers)
