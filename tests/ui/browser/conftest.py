"""One browser, one server and one worker for all browser tests.

Each test has a page of its own, and nothing that it started trains on after it. The store is shared: a test that needs
an untrained network takes a spec that no other test trains.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from bnlab.runs.store import Store
from bnlab.ui.navigation import ROOT
from tests.browser import browser_page, chromium, running_app
from tests.ui.browser.static_scripts import serve_scripts
from tests.waiting import wait_until
from tests.workers import running_scheduler, worker_processes

__all__ = ["browser_page", "chromium"]


# How long a launch takes, and so whether it is to be confirmed, would depend on the machine.
NOTHING_IS_LARGE = {"BNLAB_CONFIRM_RUNS": "1000000", "BNLAB_CONFIRM_MINUTES": "1000000"}


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
    environment = {"BNLAB_STORE": store.url, "BNLAB_SCHEDULER": scheduler, **NOTHING_IS_LARGE}
    with running_app(ROOT / "app.py", env=environment) as url:
        yield url


@pytest.fixture(autouse=True)
def stop_runs(store: Store) -> Iterator[None]:
    """Stop what the test left training, so that the worker is free for the next one.

    A worker that does not stop in time is killed, and pages would warn until the next one is there.
    """
    yield
    if unfinished := [run.digest for run in store.runs() if not run.state.is_finished()]:
        store.request_stop(unfinished)
        wait_until(lambda: all(run.state.is_finished() for run in store.runs(unfinished)))
        wait_until(lambda: bool(worker_processes()))


@pytest.fixture(scope="module")
def scripts(chromium: BrowserContext) -> Iterator[Page]:
    """An empty page that can import the scripts in ``static/``, as ``/normalization.js``; the same for a module."""
    page = chromium.new_page()
    serve_scripts(page)
    yield page
    page.close()
