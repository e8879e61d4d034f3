"""A cluster that cannot be reached, and what is heard of one that ends."""

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
    monkeypatch.setattr("bnlab.runs.cluster.ANSWER_SECONDS", 1)
    lab = Scheduler(store, scheduler="tcp://127.0.0.1:9")
    try:
        run = lab.launch(RunSpec(), "waiting")
        wait_until(lambda: lab.problem != "")
        assert lab.problem == "No Dask scheduler answers at BNLAB_SCHEDULER=tcp://127.0.0.1:9."
        assert store.run(run.digest).state is RunState.QUEUED
    finally:
        lab.close()


def test_a_cluster_of_our_own_is_silent_after_its_end_too() -> None:
    handlers = logging.getLogger("distributed").handlers
    assert handlers
    disconnect(connect(None, workers=1))
    assert [handler.level for handler in handlers] == [logging.CRITICAL] * len(handlers)
