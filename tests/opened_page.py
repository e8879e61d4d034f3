"""The app in AppTest, on a store of the test's own and without any worker process."""

from collections.abc import Callable, Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from bnlab.runs import scheduler as lab_module
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.ui import services
from bnlab.ui.navigation import ROOT

OpenPage = Callable[..., AppTest]


class NoWorkers:
    """A Dask client whose cluster has no workers: what is launched waits."""

    cluster = None

    def scheduler_info(self, n_workers: int) -> dict[str, dict[str, object]]:
        return {"workers": {}}

    def close(self, timeout: float) -> None:
        """There is nothing to close."""


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """The app in a new session on a store, or on whatever `BNLAB_STORE` should be; its lab is closed afterwards."""
    labs: list[Scheduler] = []

    def started(*args: object, **options: object) -> Scheduler:
        labs.append(Scheduler(*args, **options))  # type: ignore[arg-type]
        return labs[-1]

    def open_page(store: Store | str, **query: object) -> AppTest:
        monkeypatch.setenv("BNLAB_STORE", store if isinstance(store, str) else store.url)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = str(value)
        return app.run()

    monkeypatch.delenv("BNLAB_SCHEDULER", raising=False)
    monkeypatch.setattr(lab_module, "connect", lambda *_: NoWorkers())
    monkeypatch.setattr(services, "Scheduler", started)
    monkeypatch.setattr(services, "read_recording", lambda _: None)
    monkeypatch.setattr(services, "preload_recorded_trials", lambda: None)
    st.cache_resource.clear()
    yield open_page
    for lab in labs:
        lab.close()
    st.cache_resource.clear()
