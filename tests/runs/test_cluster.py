"""A scheduler address without a scheduler, and logging after the end of a cluster."""

import logging

import pytest

from bnlab.runs.cluster import connect, disconnect
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
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
def test_dask_logging_is_silent_after_disconnect() -> None:
    handlers = logging.getLogger("distributed").handlers
    assert handlers
    disconnect(connect(None, workers=1))
    assert [handler.level for handler in handlers] == [logging.CRITICAL] * len(handlers)
