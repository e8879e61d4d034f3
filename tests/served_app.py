"""The app in a real server with real workers, for a module's browser tests: `store`, `app_url`, `patient`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bnlab.runs.store import Store
from bnlab.ui.navigation import ROOT
from tests.browser import running_app

PATIENCE = 120_000  # ms: the workers share their cores with everything else that is tested


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(f"sqlite:///{tmp_path_factory.mktemp('served')}/bnlab.db")


@pytest.fixture(scope="module")
def app_url(store: Store, scheduler: str) -> Iterator[str]:
    with running_app(ROOT / "app.py", env={"BNLAB_STORE": store.url, "BNLAB_SCHEDULER": scheduler}) as url:
        yield url


@pytest.fixture
def patient(browser_page: Page) -> Iterator[None]:
    browser_page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    yield
    expect.set_options(timeout=5_000)  # Playwright's own
