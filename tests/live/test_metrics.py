"""Figures for Prometheus, read by Prometheus's own parser."""

import asyncio
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from bnlab.live.metrics import metrics_route
from bnlab.live.views import StoreView
from bnlab.runs.errors import LOCKED, StoreError
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.asgi import get, run_async
from tests.live.still_scheduler import StillScheduler, hub_of
from tests.stored_runs import make_evaluation, record_run

SPECS = [RunSpec(epochs=1, train_examples=64, seed=seed) for seed in range(4)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    record_run(store, SPECS[0], (2.0,), (make_evaluation(0),), RunState.COMPLETED)
    store.launch_runs([(spec, "waiting") for spec in SPECS[1:3]], "owner")
    return store


def figures(app: Starlette) -> dict[str, float]:
    """The samples by their names, with the values of their labels."""
    answer = get(app, "/lab/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_runs_queue_and_the_process_are_counted(store: Store) -> None:
    scheduler = StillScheduler(store)
    found = figures(Starlette(routes=[metrics_route(hub_of(scheduler), scheduler, "/lab")]))
    assert {state: found[f"bnlab_runs {state.lower()}"] for state in RunState} == {
        **dict.fromkeys(RunState, 0),
        RunState.COMPLETED: 1,
        RunState.QUEUED: 2,
    }
    assert (found["bnlab_queue"], found["bnlab_store_up"], found["bnlab_workers"]) == (2, 1, 0)
    assert found["process_open_fds"] > 0
    assert found["process_resident_memory_bytes"] > 0


def test_viewers_and_views_are_counted_while_they_watch(store: Store) -> None:
    scheduler = StillScheduler(store)
    hub = hub_of(scheduler)
    app = Starlette(routes=[metrics_route(hub, scheduler, "/lab")])

    async def watch() -> None:
        streams = [hub.watch(StoreView()) for _ in range(3)]
        for stream in streams:
            task = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            pending.append(task)
        found = figures(app)
        assert (found["bnlab_viewers"], found["bnlab_views"]) == (3, 1)
        for task in pending:
            task.cancel()

    pending: list[asyncio.Task[bytes]] = []
    run_async(watch())


def test_update_lags_are_observed(store: Store) -> None:
    scheduler = StillScheduler(store)
    hub = hub_of(scheduler)
    app = Starlette(routes=[metrics_route(hub, scheduler, "/lab")])
    now = time.time()
    hub.on_update([now - 0.2, now - 3.0, now + 5.0])  # the last one of a machine whose clock is ahead
    found = figures(app)
    assert found["bnlab_update_lag_seconds_count"] == 3
    assert [found[f"bnlab_update_lag_seconds_bucket {bound}"] for bound in ("0.05", "1.0", "5.0")] == [1, 2, 3]


def test_a_store_that_is_away_leaves_the_rest(store: Store) -> None:
    def away() -> StillScheduler:
        raise StoreError(LOCKED)

    found = figures(Starlette(routes=[metrics_route(hub_of(StillScheduler(store)), away, "/lab")]))
    assert found["bnlab_store_up"] == 0
    assert found["bnlab_viewers"] == 0
    assert "bnlab_queue" not in found
