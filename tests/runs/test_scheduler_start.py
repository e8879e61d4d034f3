"""What the scheduler says while its workers start."""

import threading

import pytest

from bnlab.runs import scheduler as scheduler_module
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from tests.played_client import PlayedClient
from tests.waiting import wait_until


@pytest.mark.parametrize(("address", "is_local"), [(None, True), ("tcp://elsewhere:8786", False)])
def test_the_start_of_local_workers_is_told_until_they_are_there(
    address: str | None, is_local: bool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    connecting = threading.Event()

    def connect(*_arguments: object) -> PlayedClient:
        assert connecting.wait(60)
        return PlayedClient()

    monkeypatch.setattr(scheduler_module, "connect", connect)
    scheduler = Scheduler(store, scheduler=address)
    try:
        starting = scheduler.activity([]).starting
        assert (starting is not None and 0 <= starting < 60) == is_local
        connecting.set()
        wait_until(lambda: scheduler.activity([]).starting is None, 60)
    finally:
        connecting.set()
        scheduler.close()
