"""A scheduler address without a scheduler, and logging after the end of a cluster."""

import logging
import os

import pytest

from bnlab.runs.cluster import connect, disconnect
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


@pytest.mark.slow  # starts and ends a cluster
@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="Windows has priority classes")
def test_workers_have_a_lower_priority_than_the_app() -> None:
    client = connect(None, workers=1)
    try:
        (priority,) = client.run(os.getpriority, os.PRIO_PROCESS, 0).values()
    finally:
        disconnect(client)
    assert priority == min(os.getpriority(os.PRIO_PROCESS, 0) + NICENESS, 19)


@pytest.mark.slow  # starts and ends a cluster
def test_dask_logging_is_silent_after_disconnect() -> None:
    handlers = logging.getLogger("distributed").handlers
    assert handlers
    disconnect(connect(None, workers=1))
    assert [handler.level for handler in handlers] == [logging.CRITICAL] * len(handlers)
