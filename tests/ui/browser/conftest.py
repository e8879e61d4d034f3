"""One browser, one server and one worker for all browser tests.

Each test has a page of its own, and nothing that it started trains on after it. The store is shared: a test that needs
an untrained network takes a spec that no other test trains.
"""

from collections.abc import Iterator

import pytest

from bnlab.runs.store import Store
from bnlab.ui.navigation import ROOT
from tests.browser import browser_page, chromium, running_app
from tests.workers import running_scheduler

__all__ = ["browser_page", "chromium"]


@pytest.fixture(scope="package", autouse=True)
def scheduler() -> Iterator[str]:
    """The address of a scheduler with one worker: a second one would have every program to compile again.

    Set up first and closed last, since it cannot be closed while Playwright's event loop runs.
    """
    with running_scheduler(workers=1) as address:
        yield address


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(f"sqlite:///{tmp_path_factory.mktemp('served')}/bnlab.db")


@pytest.fixture(scope="package")
def app_url(store: Store, scheduler: str) -> Iterator[str]:
    with running_app(ROOT / "app.py", env={"BNLAB_STORE": store.url, "BNLAB_SCHEDULER": scheduler}) as url:
        yield url


@pytest.fixture(autouse=True)
def stop_runs(store: Store) -> Iterator[None]:
    """Stop what the test left training, so that the worker is free for the next one."""
    yield
    store.request_stop([run.digest for run in store.runs() if not run.state.is_finished()])
