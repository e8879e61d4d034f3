"""A scheduler address without a scheduler, and logging after the end of a cluster."""

import logging
import os
import sys

import psutil
import pytest

from bnlab.runs.cluster import connect, disconnect, worker_addresses
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.runs.worker import NICENESS
from bnlab.specs.run_spec import RunSpec
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


@pytest.mark.workers
@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="Windows has priority classes")
def test_workers_have_a_lower_priority_than_the_app_also_after_a_restart() -> None:
    client = connect(None, workers=1)
    lowered = min(os.getpriority(os.PRIO_PROCESS, 0) + NICENESS, 19)
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


@pytest.mark.workers
def test_dask_logging_is_silent_after_disconnect() -> None:
    handlers = logging.getLogger("distributed").handlers
    assert handlers
    disconnect(connect(None, workers=1))
    assert [handler.level for handler in handlers] == [logging.CRITICAL] * len(handlers)
