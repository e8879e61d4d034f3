"""Prediction latencies: what is measured together, when, and what becomes of a measurement that was disturbed."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from distributed import KilledWorker
from sqlalchemy import update

from bnlab.runs import latencies
from bnlab.runs.errors import StoreError
from bnlab.runs.latencies import Latencies, LatencyRequests, measure_latencies, read_latencies, write_latencies
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.schema import runs
from bnlab.runs.store import Store
from bnlab.specs.network import prediction_key
from bnlab.specs.run_spec import RunSpec
from tests.runs.store_rows import SPEC, tiny_spec
from tests.runs.test_tasks import FakeFuture
from tests.waiting import wait_until

A, B, C = (RunSpec(hidden_units=(units,)) for units in (2, 3, 4))
KEYS = {spec: prediction_key(spec) for spec in (A, B, C)}


class FakeClient:
    def __init__(self) -> None:
        self.calls: list[tuple[Mapping[str, RunSpec], Any]] = []

    def submit(self, function: object, _url: str, specs: Mapping[str, RunSpec], *, pure: bool) -> Any:
        assert function is measure_latencies
        assert not pure
        call = FakeCall(lambda: {network: {1: float(len(self.calls))} for network in specs})
        self.calls.append((specs, call))
        return call


class FakeCall(FakeFuture):
    def __init__(self, function: Any) -> None:
        super().__init__(function, ())

    def exception(self) -> BaseException | None:
        return self.error


class PolledRequests:
    """Requests with a fake client, in a scheduler that is idle unless the test says otherwise."""

    def __init__(self, store: Store) -> None:
        self.client, self.requests = FakeClient(), LatencyRequests(store)

    def poll(self, *, idle: bool = True) -> None:
        client: Any = self.client
        self.requests.update(client, lambda: idle, lambda _future: None)

    def measured(self) -> list[set[str]]:
        return [set(specs) for specs, _ in self.client.calls]

    def end(self, *arguments: Any) -> None:
        self.client.calls[-1][1].end(*arguments)


@pytest.fixture
def polled(store: Store, monkeypatch: pytest.MonkeyPatch) -> PolledRequests:
    monkeypatch.setattr(latencies, "QUIET_SECONDS", 0.0)
    return PolledRequests(store)


def test_latencies_are_replaced_by_network(store: Store) -> None:
    write_latencies(store, {KEYS[A]: {1: 0.1, 256: 0.2}, KEYS[B]: {1: 0.3}})
    write_latencies(store, {KEYS[A]: {1: 0.4}})
    write_latencies(store, {})
    assert read_latencies(store, list(KEYS.values())) == {KEYS[A]: {1: 0.4}, KEYS[B]: {1: 0.3}}
    assert read_latencies(store, []) == {}


def test_each_network_is_measured_once_whatever_trained_it(polled: PolledRequests, store: Store) -> None:
    polled.requests.request([A, A.model_copy(update={"seed": 1, "learning_rate": 0.5, "optimizer": "adam"}), B])
    polled.poll()
    assert polled.measured() == [{KEYS[A], KEYS[B]}]
    polled.poll()
    polled.end()
    polled.poll()
    assert set(read_latencies(store, list(KEYS.values()))) == {KEYS[A], KEYS[B]}
    polled.requests.request([A, B])
    polled.poll()
    assert len(polled.client.calls) == 1, "known ones are not measured again"


def test_what_is_shown_together_is_measured_together(polled: PolledRequests) -> None:
    polled.requests.request([A])
    polled.poll()
    polled.requests.request([A, B])
    polled.end()
    polled.poll()
    assert polled.measured() == [{KEYS[A]}, {KEYS[A], KEYS[B]}]
    polled.end()
    polled.poll()
    assert len(polled.client.calls) == 2


def test_nothing_is_measured_while_there_is_other_work(polled: PolledRequests) -> None:
    polled.requests.request([A])
    polled.poll(idle=False)
    assert not polled.client.calls


def test_nothing_is_measured_before_it_has_been_quiet(polled: PolledRequests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latencies, "QUIET_SECONDS", 0.2)
    polled.requests.request([A])
    polled.poll()
    assert not polled.client.calls
    time.sleep(0.21)
    polled.poll()
    assert len(polled.client.calls) == 1


def test_a_measurement_that_was_disturbed_is_repeated(polled: PolledRequests, store: Store) -> None:
    polled.requests.request([A])
    polled.poll()
    polled.poll(idle=False)
    polled.poll()
    polled.end()
    polled.poll()
    assert read_latencies(store, [KEYS[A]]) == {}
    polled.poll()
    polled.end()
    polled.poll()
    assert read_latencies(store, [KEYS[A]]) == {KEYS[A]: {1: 2.0}}


@pytest.mark.parametrize("loss", ["cancelled", "lost"])
def test_a_lost_measurement_is_repeated(polled: PolledRequests, loss: str) -> None:
    polled.requests.request([A])
    polled.poll()
    if loss == "cancelled":
        polled.end("cancelled")
    else:
        polled.requests.forget_running()
    polled.poll()
    assert len(polled.client.calls) == 2


def test_a_network_that_cannot_be_measured_is_not_tried_again(polled: PolledRequests) -> None:
    polled.requests.request([A])
    polled.poll()
    polled.end("error", KilledWorker("measure", None, 3))
    polled.poll()
    polled.requests.request([A])
    polled.poll()
    assert len(polled.client.calls) == 1
    polled.requests.request([A, B])
    polled.poll()
    assert polled.measured()[1:] == [{KEYS[B]}]


def test_an_error_of_the_store_is_not_the_networks_fault(polled: PolledRequests) -> None:
    polled.requests.request([A])
    polled.poll()
    polled.end("error", StoreError("The store is away."))
    polled.poll()
    assert len(polled.client.calls) == 1
    polled.requests.request([A])
    polled.poll()
    assert len(polled.client.calls) == 2


def test_a_worker_measures_networks(store: Store) -> None:
    measured = measure_latencies(store.url, {KEYS[A]: A, KEYS[B]: B})
    assert measured is not None
    assert list(measured) == [KEYS[A], KEYS[B]]
    assert all(list(by_size) == [1, 256] and min(by_size.values()) > 0 for by_size in measured.values())


def test_a_worker_gives_way_to_a_run(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    assert measure_latencies(store.url, {KEYS[A]: A}) is None
    with store.engine.begin() as connection:  # as of an app that is gone
        connection.execute(update(runs).values(lease_until=time.time() - 1))
    assert measure_latencies(store.url, {KEYS[A]: A}) is not None


@pytest.mark.slow
@pytest.mark.workers
def test_runs_note_whether_they_shared_and_networks_are_measured_afterwards(store: Store, scheduler: str) -> None:
    def latency() -> Latencies:
        return read_latencies(store, [prediction_key(SPEC)])

    def have_ended() -> bool:
        return all(run.state.is_finished() for run in store.runs())

    long = [
        SPEC.model_copy(update={"train_examples": 20_000, "epochs": 10, "batch_size": size, "seed": 5})
        for size in (16, 17)
    ]
    running = Scheduler(store, scheduler=scheduler)
    try:
        running.launch(tiny_spec(0), "alone")
        running.measure_latencies([SPEC])
        wait_until(have_ended)
        running.launch_runs([(spec, "together") for spec in long])
        wait_until(lambda: all(store.run(spec.digest).shared for spec in long))
        assert latency() == {}, "not while runs train"
        running.stop([spec.digest for spec in long])
        wait_until(latency)
        assert have_ended()
        assert store.run(tiny_spec(0).digest).shared is False
    finally:
        running.close()
