from pathlib import Path

import pytest


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a temporary store, which the settings name."""
    address = f"sqlite:///{tmp_path / 'bnlab.db'}"
    monkeypatch.setenv("BNLAB_STORE", address)
    monkeypatch.delenv("BNLAB_SCHEDULER", raising=False)
    return address
