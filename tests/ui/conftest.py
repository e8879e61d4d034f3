"""A temporary store for each test of a page, and faster runs of pages in AppTest."""

import sys
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner

_scanned_once = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def temporary_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests away from the developer's runs."""
    monkeypatch.setenv("BNLAB_STORE", f"sqlite:///{tmp_path}/bnlab.db")


@pytest.fixture(autouse=True)
def fast_app_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip work that takes AppTest longer than the pages themselves.

    Every AppTest scans all installed packages for components. And if another test has loaded Keras, Streamlit clears
    Keras's session after every run of a script, with a full garbage collection.
    """
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", _scanned_once)
    if "keras" in sys.modules:
        monkeypatch.setattr(sys.modules["keras"].backend, "clear_session", lambda: None)
