"""Browser fixtures for the tests of what a reader sees, and a store of their own for all of them."""

from pathlib import Path

import pytest

from tests.browser import browser_page, chromium

__all__ = ["browser_page", "chromium"]


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a page starts here, it is not on the developer's own runs."""
    monkeypatch.setenv("BNLAB_STORE", f"sqlite:///{tmp_path}/bnlab.db")
