from pathlib import Path

import pytest


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of the test's own, which the command line takes for its own."""
    address = f"sqlite:///{tmp_path / 'bnlab.db'}"
    monkeypatch.setenv("BNLAB_STORE", address)
    monkeypatch.delenv("BNLAB_SCHEDULER", raising=False)
    return address
