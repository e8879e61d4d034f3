"""A temporary store for each test of a page, no workers, and faster runs of pages in AppTest."""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner

from bnlab.runs import scheduler as scheduler_module
from bnlab.ui import services
from tests.played_client import PlayedClient

_scanned_once = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def temporary_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests away from the developer's runs."""
    monkeypatch.setenv("BNLAB_STORE", f"sqlite:///{tmp_path}/bnlab.db")


@pytest.fixture(autouse=True)
def without_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a page launches stays queued: real workers would import TensorFlow and train on after the test."""
    monkeypatch.setattr(scheduler_module, "connect", lambda *_: PlayedClient())
    monkeypatch.setattr(services, "read_shipped_recordings", lambda _: None)
    yield
    if services._started:
        services.close()
        services._started.clear()
        st.cache_resource.clear()


@pytest.fixture(autouse=True)
def fast_app_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip work that takes AppTest longer than the pages themselves.

    Every AppTest scans all installed packages for components. And if another test has loaded Keras, Streamlit clears
    Keras's session after every run of a script, with a full garbage collection.
    """
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", _scanned_once)
    if "keras" in sys.modules:
        monkeypatch.setattr(sys.modules["keras"].backend, "clear_session", lambda free_memory=True: None)
