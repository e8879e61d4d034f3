"""The app in a real server with real workers, for a module's browser tests: `store` and `app_url`."""

from collections.abc import Iterator

import pytest

from bnlab.runs.store import Store
from bnlab.ui.navigation import ROOT
from tests.browser import running_app


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(f"sqlite:///{tmp_path_factory.mktemp('served')}/bnlab.db")


@pytest.fixture(scope="module")
def app_url(store: Store, scheduler: str) -> Iterator[str]:
    with running_app(ROOT / "app.py", env={"BNLAB_STORE": store.url, "BNLAB_SCHEDULER": scheduler}) as url:
        yield url
