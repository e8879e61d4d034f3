"""The hub reads once for everybody, encodes once, and says to each reader what it has not had yet."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bnlab.live import hub as hub_module
from bnlab.live.events import Document
from bnlab.live.hub import HEARTBEAT, MAX_MISSED, MAX_SPREAD_SECONDS, STORE_AWAY, Channel, Hub, spread_seconds
from bnlab.live.reading import DEFAULT_VERSION, Reading
from bnlab.live.tasks import task_id
from bnlab.live.views import StoreView
from bnlab.runs.activity import Activity
from bnlab.runs.errors import DAMAGED, DamagedError, StoreError
from bnlab.runs.latencies import read_latencies, write_latencies
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.network import prediction_key
from bnlab.specs.run_spec import RunSpec
from tests.asgi import run_async
from tests.live.still_scheduler import StillScheduler, hub_of
from tests.stored_runs import make_evaluation, record_run

SPEC = RunSpec(epochs=1, train_examples=64)
OTHER = RunSpec(epochs=1, train_examples=64, seed=1)


@dataclass(frozen=True)
class States:
    """A view that shows the states of runs."""

    digests: frozenset[str]
    drawn_digests: ClassVar[tuple[str, ...]] = ()

    def inputs(self, reading: Reading) -> object:
        return reading.inputs(self.digests)

    def document(self, reading: Reading) -> Document:
        return {digest: run.state for digest, run in reading.runs.items() if digest in self.digests}


VIEW = States(frozenset([SPEC.digest]))
NETWORK = prediction_key(SPEC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    record_run(store, SPEC, (2.0,), (make_evaluation(0),), RunState.STOPPED)
    return store


@pytest.fixture(autouse=True)
def quick_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "UPDATE_SECONDS", 0.01)


def running(hub: Hub, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Await `act` while the hub runs."""

    async def run() -> None:
        updates = asyncio.create_task(hub.run())
        async with asyncio.timeout(10):
            await act()
        hub.close()
        await updates

    run_async(run())


async def read(events: AsyncIterator[bytes]) -> tuple[str, str, dict]:
    """The kind, id and data of the next event that is no comment."""
    while (event := await anext(events)) == HEARTBEAT:
        pass
    fields = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
    return fields["event"], fields["id"], json.loads(fields["data"])


def test_a_reader_gets_a_snapshot_and_then_what_changes(store: Store) -> None:
    hub = hub_of(StillScheduler(store))

    async def act() -> None:
        events = hub.watch(VIEW)
        kind, first, data = await read(events)
        assert (kind, data) == ("snapshot", {SPEC.digest: "STOPPED"})
        store.launch(SPEC, "A", "somebody")
        kind, second, data = await read(events)
        assert (kind, data) == ("change", {SPEC.digest: "QUEUED"})
        name, number = first.split("-")
        assert second == f"{name}-{int(number) + 1}"

    running(hub, act)


def test_readers_of_equal_views_share_one_reading_and_the_same_bytes(store: Store) -> None:
    scheduler = StillScheduler(store)
    hub = hub_of(scheduler)

    async def act() -> None:
        readers = [hub.watch(States(frozenset([SPEC.digest]))) for _ in range(20)]
        events = await asyncio.gather(*(anext(reader) for reader in readers))
        assert hub.watchers == 20
        assert all(event is events[0] for event in events)
        reads = scheduler.reads
        await asyncio.gather(*(reader.aclose() for reader in readers))
        assert hub.watchers == 0
        await asyncio.sleep(0.1)
        assert scheduler.reads <= reads + 2, "nothing is read while nobody watches"

    running(hub, act)


def test_new_latencies_are_a_change_though_no_run_changed(store: Store) -> None:
    @dataclass(frozen=True)
    class Latencies(States):
        def document(self, reading: Reading) -> Document:
            return {"latency": read_latencies(reading.store, [NETWORK]).get(NETWORK, {}).get(1, 0.0)}

    hub = hub_of(StillScheduler(store))

    async def act() -> None:
        events = hub.watch(Latencies(VIEW.digests))
        assert (await read(events))[2] == {"latency": 0.0}
        write_latencies(store, {NETWORK: {1: 0.002}})
        assert (await read(events))[2] == {"latency": 0.002}

    running(hub, act)


def test_the_end_of_a_slice_is_a_change_though_no_run_changed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Activities(States):
        def document(self, reading: Reading) -> Document:
            return {"training": sorted(reading.activity.training), "speeds": dict(reading.activity.speeds)}

    store.launch(SPEC, "A", "somebody")
    scheduler, digest = StillScheduler(store), SPEC.digest
    activities = [Activity([digest], {digest: 100.0}), Activity([digest], {digest: 0.0}), Activity()]
    monkeypatch.setattr(scheduler, "activity", lambda _: activities[0])
    hub = hub_of(scheduler)

    async def act() -> None:
        events = hub.watch(Activities(frozenset({digest})))
        assert (await read(events))[2] == {"training": [digest], "speeds": {digest: 100.0}}
        del activities[0]
        assert (await read(events))[2] == {"speeds": {digest: 0.0}}
        del activities[0]
        assert (await read(events))[2] == {"training": [], "speeds": {digest: None}}

    running(hub, act)


def test_a_reader_who_returns_gets_what_it_missed(store: Store) -> None:
    hub = hub_of(StillScheduler(store))

    async def act() -> None:
        stayed, left = hub.watch(VIEW), hub.watch(VIEW)
        await read(stayed)
        _, last, _ = await read(left)
        await left.aclose()
        store.launch(SPEC, "A", "somebody")
        await read(stayed)
        kind, present, data = await read(hub.watch(VIEW, last))
        assert (kind, data) == ("change", {SPEC.digest: "QUEUED"})
        returned = hub.watch(VIEW, present)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(returned), 0.1)

    running(hub, act)


@pytest.mark.parametrize("last", ["", "of-another-server-3", "x", "0000-1"])
def test_an_unknown_last_event_means_a_snapshot(last: str, store: Store) -> None:
    hub = hub_of(StillScheduler(store))

    async def act() -> None:
        assert (await read(hub.watch(VIEW, last)))[0] == "snapshot"

    running(hub, act)


def test_a_reader_far_behind_gets_the_newest_document_at_once() -> None:
    async def act() -> None:
        channel = Channel(VIEW)
        for number in range(MAX_MISSED + 3):
            document = {"number": number}
            channel.publish(document, channel.change(document) or b"")
        assert channel.events_after(1) == [channel.snapshot]
        assert channel.events_after(0) == [channel.snapshot]
        assert len(channel.events_after(channel.number - 2)) == 2
        assert channel.events_after(channel.number) == []

    run_async(act())


def test_an_unchanged_document_is_no_event() -> None:
    async def act() -> None:
        channel = Channel(VIEW)
        channel.publish({"a": 1}, channel.change({"a": 1}) or b"")
        assert channel.change({"a": 1}) is None

    run_async(act())


def test_a_store_that_is_away_for_a_while_ends_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RETRY_SECONDS", 0.01)
    failures = iter([OSError("away"), OSError("away")])

    def scheduler() -> Any:
        for failure in failures:
            raise failure
        return StillScheduler(store)

    hub = hub_of(scheduler)

    async def act() -> None:
        assert (await read(hub.watch(VIEW)))[2] == {SPEC.digest: "STOPPED"}

    running(hub, act)


def test_closing_ends_all_streams(store: Store) -> None:
    hub = hub_of(StillScheduler(store))

    async def act() -> None:
        events = hub.watch(VIEW)
        await read(events)
        hub.close()
        with suppress(StopAsyncIteration):
            assert await anext(events) == HEARTBEAT
        assert [event async for event in events] == []

    running(hub, act)


def test_a_quiet_stream_has_a_heartbeat(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.02)
    hub = hub_of(StillScheduler(store))

    async def act() -> None:
        events = hub.watch(VIEW)
        await read(events)
        assert await anext(events) == HEARTBEAT

    running(hub, act)


def test_a_reader_is_told_when_its_tasks_are_done(store: Store) -> None:
    hub = hub_of(StillScheduler(store))
    quick, slow, cancelled = Future(), Future(), Future()  # type: ignore[var-annotated]

    async def ready(events: AsyncIterator[bytes]) -> str:
        event = await anext(events)
        kind, data = event.decode().strip().split("\n")
        assert kind == "event: ready", "without an id, so that a reader who returns is known by its last change"
        return str(json.loads(data.removeprefix("data: ")))

    async def act() -> None:
        quick.set_result(1)
        events = hub.watch(VIEW, "", [task_id(quick), "nobody's", task_id(slow), task_id(cancelled)])
        assert [await ready(events), await ready(events)] == [task_id(quick), "nobody's"]
        assert (await read(events))[0] == "snapshot"
        asyncio.get_running_loop().run_in_executor(None, slow.set_exception, ValueError())
        assert await ready(events) == task_id(slow)
        cancelled.cancel()
        assert await ready(events) == task_id(cancelled)

    running(hub, act)


def test_pages_are_rendered_again_when_the_store_is_away_and_when_it_is_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "RETRY_SECONDS", 0.01)
    scheduler, read_runs = StillScheduler(store), store.runs
    hub = hub_of(scheduler)

    def fail(_digests: object) -> None:
        raise StoreError("The store is away.")

    async def act() -> None:
        watching, waiting = hub.watch(VIEW), hub.watch(StoreView())
        await read(watching)
        page = (await read(waiting))[2]["page"]
        await waiting.aclose()
        monkeypatch.setattr(store, "runs", fail)
        assert (await read(watching))[2] == {"page": {DEFAULT_VERSION: STORE_AWAY}, "spread": spread_seconds(1)}
        waiting = hub.watch(StoreView())
        monkeypatch.setattr(store, "runs", read_runs)
        assert (await read(waiting))[2]["page"] == page
        assert (await read(watching))[2] == {"page": None, "spread": None}

    running(hub, act)


def test_pages_are_rendered_again_over_a_time_that_grows_with_their_number(store: Store) -> None:
    @dataclass(frozen=True)
    class Page(States):
        name: str = ""

        def document(self, reading: Reading) -> Document:
            run = reading.runs[SPEC.digest]
            return {"page": {DEFAULT_VERSION: str(run.state)}, "step": run.step, "name": self.name}

    hub = hub_of(StillScheduler(store))

    async def act() -> None:
        shown = [Page(VIEW.digests), *[Page(VIEW.digests, "another")] * 2]
        readers = [hub.watch(view) for view in shown]
        first = (await read(readers[0]))[2]
        assert first["spread"] == spread_seconds(1)
        await asyncio.gather(*map(read, readers[1:]))
        store.launch(SPEC, "A", "somebody")
        change = (await read(readers[0]))[2]
        assert change == {"page": {DEFAULT_VERSION: "QUEUED"}, "spread": spread_seconds(3)}, "all that change together"
        await asyncio.gather(*(reader.aclose() for reader in readers[1:]))
        store.rename(SPEC.digest, "B")
        record_run(store, OTHER, (2.0,), (make_evaluation(0),), RunState.STOPPED)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(readers[0]), 0.1)

    running(hub, act)
    assert spread_seconds(200) > 10 * spread_seconds(10) > 0
    assert spread_seconds(10_000) == MAX_SPREAD_SECONDS


@pytest.mark.parametrize("error", [KeyError(SPEC.digest), DamagedError(DAMAGED)])
def test_an_error_of_one_view_leaves_the_others_alone(store: Store, error: Exception) -> None:
    @dataclass(frozen=True)
    class Broken(States):
        def document(self, reading: Reading) -> Document:
            raise error

    hub = hub_of(StillScheduler(store))

    async def act() -> None:
        broken = asyncio.create_task(anext(hub.watch(Broken(VIEW.digests))))
        await asyncio.sleep(0.05)
        assert (await read(hub.watch(VIEW)))[2] == {SPEC.digest: "STOPPED"}
        assert not broken.done()
        broken.cancel()

    running(hub, act)
