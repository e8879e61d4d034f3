"""A store of its own for each test of a page, and quicker runs of pages in AppTest."""

import sys
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner

_scanned_once = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def temporary_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a page starts here, it is not on the developer's own runs."""
    monkeypatch.setenv("BNLAB_STORE", f"sqlite:///{tmp_path}/bnlab.db")


@pytest.fixture(autouse=True)
def fast_app_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """What took AppTest longer than our pages do, and has nothing to do with them.

    Every AppTest looks through all installed packages for components. And wherever Keras is loaded, which is by other
    tests and never by a page, Streamlit clears its session after every run of a script, with a full garbage
    collection.
    """
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", _scanned_once)
    if "keras" in sys.modules:
        monkeypatch.setattr(sys.modules["keras"].backend, "clear_session", lambda: None)
