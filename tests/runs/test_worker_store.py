"""The store of a worker, and the URL that tasks carry."""

import pytest
from sqlalchemy import create_engine

from bnlab.runs.store import Store
from bnlab.runs.worker_store import worker_store_url


@pytest.mark.parametrize(
    ("whole", "carried"),
    [
        (
            "postgresql+psycopg://me:secret@host:5433/bnlab?sslmode=require",
            "postgresql+psycopg://me@host:5433/bnlab?sslmode=require",
        ),
        ("postgresql+psycopg://me@/bnlab?host=%2Ftmp&password=secret", "postgresql+psycopg://me@/bnlab?host=%2Ftmp"),
        ("sqlite:////data/bnlab.db", "sqlite:////data/bnlab.db"),
    ],
)
def test_the_password_does_not_travel(whole: str, carried: str) -> None:
    store = Store.__new__(Store)  # there is no such server
    store.engine = create_engine(whole)
    assert store.url == carried
    assert "secret" not in store.url
    assert store.secret_url == whole


def test_a_worker_uses_its_own_setting_and_without_one_the_apps_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BNLAB_STORE", raising=False)
    assert worker_store_url("sqlite:///app.db") == "sqlite:///app.db"
    monkeypatch.setenv("BNLAB_STORE", "sqlite:///worker.db")
    assert worker_store_url("sqlite:///app.db") == "sqlite:///worker.db"
