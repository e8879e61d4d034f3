"""The app in AppTest, with a temporary store and without worker processes."""

from collections.abc import Callable, Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from bnlab.runs import activity
from bnlab.runs import scheduler as scheduler_module
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.ui import services
from bnlab.ui.compare.settings import ALL, SHOWN
from bnlab.ui.compare.toolbar import VIEW_MENU
from bnlab.ui.navigation import ROOT
from tests.played_client import PlayedClient
from tests.waiting import wait_until

OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """A function that opens the app in a new session, on a store or a value of `BNLAB_STORE`."""
    schedulers: list[Scheduler] = []

    def start_scheduler(*args: object, **options: object) -> Scheduler:
        schedulers.append(scheduler := Scheduler(*args, **options))  # type: ignore[arg-type]
        wait_until(lambda: scheduler.activity(()).starting is None)  # pages say that workers are starting until then
        return scheduler

    def open_page(store: Store | str, **query: object) -> AppTest:
        monkeypatch.setenv("BNLAB_STORE", store if isinstance(store, str) else store.url)
        app = AppTest.from_file(str(ROOT / "bnlab" / "ui" / "main.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value if isinstance(value, list) else str(value)
        app.session_state[VIEW_MENU] = True  # its controls are there while it is open
        app.session_state[SHOWN] = ALL
        return app.run()

    monkeypatch.delenv("BNLAB_SCHEDULER", raising=False)
    monkeypatch.setattr(activity, "RECENT_SECONDS", 3_600.0)  # a recorded run trains, however long the page takes
    monkeypatch.setattr(scheduler_module, "connect", lambda *_: PlayedClient())  # launched runs stay queued
    monkeypatch.setattr(services, "Scheduler", start_scheduler)
    monkeypatch.setattr(services, "read_shipped_recordings", lambda _: None)
    st.cache_resource.clear()
    yield open_page
    for scheduler in schedulers:
        scheduler.close()
    st.cache_resource.clear()
