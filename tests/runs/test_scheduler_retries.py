"""What the scheduler does with slices that could not train their run, with a client that plays the workers."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bnlab.runs import retries as retries_module
from bnlab.runs import scheduler as scheduler_module
from bnlab.runs import store as store_module
from bnlab.runs.errors import CONFLICT, DISK_FULL, LOCKED, ConflictError, StoreError
from bnlab.runs.retries import MAX_DEATHS, OTHER_SCHEDULER, OTHER_STORE
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.runs.writer import MissingRunError, SupersededError
from tests.broken_stores import UNREADABLE, is_a_plain_sentence
from tests.played_client import PlayedClient
from tests.runs.store_rows import SPEC
from tests.slow import all_but_one_slow
from tests.waiting import wait_until


class EndedSlice:
    """A Dask future of a slice that has ended: with an error, or by completing its run."""

    def __init__(self, error: BaseException | None, value: object = None) -> None:
        self._error, self.status = error, "finished" if error is None else "error"
        self._value = value

    def done(self) -> bool:
        return True

    def exception(self) -> BaseException | None:
        return self._error

    def result(self, timeout: float) -> object:
        return self._value

    def add_done_callback(self, callback: Callable[[object], None]) -> None:
        callback(self)


class OneWorker(PlayedClient):
    """A Dask client with a worker whose slices fail as the test says, and in the end complete their run."""

    addresses = ("tcp://worker",)

    def __init__(self, store: Store, errors: list[BaseException]) -> None:
        self.store, self.errors = store, errors
        self.slices: list[float] = []

    def submit(
        self, function: Any, url: str, digest: str, *_arguments: object, key: str, **_options: object
    ) -> EndedSlice:
        if key.startswith("check-"):  # whether this worker may train
            return EndedSlice(None, function(url, digest))
        self.slices.append(time.monotonic())
        if self.errors:
            return EndedSlice(self.errors.pop(0))
        self.store.finish(digest, self.store.run(digest).owner, RunState.COMPLETED)
        return EndedSlice(None)


@contextmanager
def training(store: Store, errors: list[BaseException], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    client = OneWorker(store, errors)
    monkeypatch.setattr(scheduler_module, "connect", lambda *_: client)
    monkeypatch.setattr(scheduler_module, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(scheduler_module, "STORE_RETRY_SECONDS", 0.02)
    scheduler = Scheduler(store)
    try:
        scheduler.launch(SPEC, "A")
        yield scheduler, client
    finally:
        scheduler.close()


@pytest.mark.parametrize("sentence", all_but_one_slow([DISK_FULL, LOCKED]))
def test_a_store_error_fails_no_run(store: Store, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries_module, "MAX_PAUSE_SECONDS", 0.2)
    with training(store, [StoreError(sentence)] * 6, monkeypatch) as (scheduler, client):
        wait_until(lambda: scheduler.problem == sentence, 10)
        wait_until(lambda: store.run(SPEC.digest).state is RunState.COMPLETED, 10)
        wait_until(lambda: scheduler.problem == "", 10)
        assert len(client.slices) == 7


@pytest.mark.parametrize(
    ("error", "sentence"), all_but_one_slow([(SupersededError, OTHER_SCHEDULER), (MissingRunError, OTHER_STORE)])
)
def test_repeated_supersessions_slow_down_and_are_said(
    store: Store, error: type[SupersededError], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with training(store, [error("digest") for _ in range(1_000)], monkeypatch) as (scheduler, client):
        wait_until(lambda: scheduler.problem == sentence, 10)
        assert is_a_plain_sentence(sentence)
        time.sleep(1.0)
        assert len(client.slices) <= 3, "at once, after nothing, after a second"
        assert store.run(SPEC.digest).state is RunState.QUEUED
        scheduler.stop([SPEC.digest])
        wait_until(lambda: store.run(SPEC.digest).state is RunState.STOPPED, 10)
        wait_until(lambda: scheduler.problem == "", 10)


def test_one_supersession_is_no_word_worth(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with training(store, [SupersededError("digest")], monkeypatch) as (scheduler, _):
        wait_until(lambda: store.run(SPEC.digest).state is RunState.COMPLETED, 10)
        assert scheduler.problem == ""


def test_a_run_whose_records_contradict_each_other_fails_at_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries_module, "MAX_PAUSE_SECONDS", 0.05)
    with training(store, [ConflictError(CONFLICT) for _ in range(1_000)], monkeypatch) as (_, client):
        wait_until(lambda: store.run(SPEC.digest).state is RunState.FAILED, 10)
        assert len(client.slices) == MAX_DEATHS + 1
    assert store.run(SPEC.digest).error == CONFLICT


# Not garbled: the scheduler goes on writing, and what it wrote last could be read from the write-ahead log.
@pytest.mark.parametrize("breakage", all_but_one_slow(["moved away", "without a column"]))
def test_a_store_that_is_away_fails_no_run_and_ends_no_scheduler(
    store: Store, breakage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with training(store, [SupersededError("digest")] * 1_000, monkeypatch) as (scheduler, client):
        wait_until(lambda: len(client.slices) > 1, 10)
        with UNREADABLE[breakage](store):
            wait_until(lambda: scheduler.problem not in ("", OTHER_SCHEDULER), 10)
            assert is_a_plain_sentence(scheduler.problem)
        client.errors.clear()
        wait_until(lambda: store.run(SPEC.digest).state is RunState.COMPLETED, 10)


def test_closing_while_the_store_is_away_raises_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread's exception is a warning in pytest, and warnings are errors."""
    with (
        training(store, [SupersededError("digest")] * 1_000, monkeypatch) as (scheduler, _),
        UNREADABLE["moved away"](store),
    ):
        scheduler.close()


def test_leases_are_renewed_while_workers_start(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(scheduler_module, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(scheduler_module, "STORE_RETRY_SECONDS", 0.02)
    client = OneWorker(store, [])

    def start_slowly(*_: object) -> OneWorker:
        time.sleep(1.0)
        return client

    monkeypatch.setattr(scheduler_module, "connect", start_slowly)
    scheduler = Scheduler(store)
    try:
        run = scheduler.launch(SPEC, "A")
        for _ in range(8):
            time.sleep(0.1)
            assert store.acquire("another") == []
            assert store.run(run.digest).owner == scheduler.owner
        wait_until(lambda: store.run(run.digest).state is RunState.COMPLETED, 10)
    finally:
        scheduler.close()
