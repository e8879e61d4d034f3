"""What a health check is told: store, scheduler, hub."""

import asyncio
from pathlib import Path

import pytest
from starlette.applications import Starlette

from bnlab.live import readiness
from bnlab.live.hub import Hub
from bnlab.live.readiness import HUB_STOPPED, READY, find_problems, readiness_route
from bnlab.runs.errors import LOCKED, READ_ONLY, StoreError
from bnlab.runs.store import Store
from tests.asgi import get, run_async
from tests.broken_stores import UNREADABLE, is_a_plain_sentence
from tests.live.still_scheduler import StillScheduler, hub_of

UNREACHABLE = "No Dask scheduler answers at BNLAB_SCHEDULER=tcp://127.0.0.1:9."


@pytest.fixture
def scheduler(tmp_path: Path) -> StillScheduler:
    return StillScheduler(Store(f"sqlite:///{tmp_path}/bnlab.db", 0.1))


@pytest.fixture
def hub(scheduler: StillScheduler) -> Hub:
    """A hub that seems to run."""
    hub = hub_of(scheduler)
    hub._is_running = True
    return hub


def test_a_server_at_work_is_ready(hub: Hub, scheduler: StillScheduler) -> None:
    answer = get(Starlette(routes=[readiness_route(hub, scheduler, "/lab")]), "/lab/ready")
    assert (answer.status, answer.text, answer.headers["cache-control"]) == (200, f"{READY}\n", "no-store")


def test_what_keeps_it_from_its_work_is_said(hub: Hub, scheduler: StillScheduler) -> None:
    scheduler.unreachable = UNREACHABLE
    hub.close()
    answer = get(Starlette(routes=[readiness_route(hub, scheduler, "")]), "/ready")
    assert answer.status == 503
    assert answer.text.splitlines() == [HUB_STOPPED, UNREACHABLE]


@pytest.mark.parametrize("breakage", [breakage for breakage in UNREADABLE if breakage != "without a column"])
def test_a_store_that_cannot_be_written_is_said(hub: Hub, scheduler: StillScheduler, breakage: str) -> None:
    with UNREADABLE[breakage](scheduler.store):
        (problem,) = find_problems(hub, scheduler)
    assert is_a_plain_sentence(problem)


def test_a_store_that_others_lock_is_said(hub: Hub, scheduler: StillScheduler) -> None:
    with scheduler.store.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        assert find_problems(hub, scheduler) == [LOCKED]
    assert find_problems(hub, scheduler) == []


def test_a_store_that_cannot_be_opened_is_said(hub: Hub) -> None:
    def away() -> StillScheduler:
        raise StoreError(READ_ONLY)

    assert find_problems(hub, away) == [READ_ONLY]


def test_asking_often_checks_once(hub: Hub, scheduler: StillScheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Starlette(routes=[readiness_route(hub, scheduler, "")])
    for _ in range(5):
        get(app, "/ready")
    assert scheduler.reads == 1
    monkeypatch.setattr(readiness, "CHECK_SECONDS", 0.0)
    app = Starlette(routes=[readiness_route(hub, scheduler, "")])
    for _ in range(2):
        get(app, "/ready")
    assert scheduler.reads == 3


def test_a_hub_runs_from_its_start_to_its_end(scheduler: StillScheduler) -> None:
    async def live() -> None:
        hub = hub_of(scheduler)
        assert not hub.is_running
        running = asyncio.create_task(hub.run())
        await asyncio.sleep(0.01)
        assert hub.is_running
        hub.close()
        assert not hub.is_running
        await running

    run_async(live())
