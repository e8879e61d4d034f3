"""Opening databases: creating them, concurrent access, and errors."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from bnlab.runs import config
from bnlab.runs.database import open_database
from bnlab.runs.errors import StoreError
from bnlab.runs.schema import metadata

TABLES = {*metadata.tables, "alembic_version"}


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def test_creates_file_and_tables(tmp_path: Path) -> None:
    path = tmp_path / "bnlab.db"
    engine = open_database(url_of(path))
    assert path.is_file()
    assert set(inspect(engine).get_table_names()) == TABLES


def test_sqlite_is_set_up_for_readers_beside_writers(tmp_path: Path) -> None:
    with open_database(url_of(tmp_path / "bnlab.db")).connect() as connection:
        pragmas = {p: connection.scalar(text(f"PRAGMA {p}")) for p in ("journal_mode", "foreign_keys", "busy_timeout")}
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 20_000}


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    open_database("sqlite:///~/bnlab.db")
    assert (tmp_path / "bnlab.db").is_file()


def test_a_missing_folder_is_created_for_the_default_store_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BNLAB_STORE", raising=False)
    monkeypatch.setattr(config, "user_data_path", lambda name: tmp_path / "data" / name)
    open_database(config.Settings().store)
    assert (tmp_path / "data" / "bnlab" / "bnlab.db").is_file()
    with pytest.raises(StoreError, match="folder"):
        open_database(url_of(tmp_path / "typo" / "bnlab.db"))
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize(
    "url",
    ["bnlab.db", "", "postgresql://user:secret@host:port/bnlab", "nosuch://user:secret@host/bnlab"],
)
def test_malformed_url_error(url: str) -> None:
    with pytest.raises(StoreError, match=r"^BNLAB_STORE is not a database.*\.$") as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def test_missing_driver_error_hides_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"^BNLAB_STORE needs the Python driver psycopg, .*\.$") as caught:
        open_database("postgresql+psycopg://user:secret@localhost/bnlab")
    assert "secret" not in str(caught.value)


def test_unknown_driver_option_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="BNLAB_STORE is not a database that bnlab can open"):
        open_database(url_of(tmp_path / "bnlab.db") + "?timeout=soon")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_database_in_memory_cannot_be_shared_with_workers(url: str) -> None:
    with pytest.raises(StoreError, match="must name a file"):
        open_database(url)


def test_path_that_is_not_writable_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "text.db").write_text("not a database, but longer than SQLite's header of a hundred bytes " * 3)
    (tmp_path / "folder.db").mkdir()
    for path in (tmp_path / "file" / "bnlab.db", tmp_path / "text.db", tmp_path / "folder.db"):
        with pytest.raises(StoreError) as caught:
            open_database(url_of(path))
        assert "BNLAB_STORE" in str(caught.value)
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.slow
def test_new_store_opened_by_processes(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom bnlab.runs.database import open_database\nprint('ready', flush=True)\nsys.stdin.readline()\n"
        "with open_database(sys.argv[1]).connect(): print('open')"
    )
    command = [sys.executable, "-c", program, url_of(tmp_path / "bnlab.db")]
    openers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for opener in openers:
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        opener.stdin.write("\n")
        opener.stdin.flush()
    answers = [opener.communicate(timeout=30) for opener in openers]
    assert answers == [("open\n", "")] * 4


def test_new_store_opened_by_threads(tmp_path: Path) -> None:
    for attempt in range(10):
        url = url_of(tmp_path / f"{attempt}.db")
        with ThreadPoolExecutor(4) as pool:
            engines = list(pool.map(open_database, [url] * 4))
        assert {frozenset(inspect(engine).get_table_names()) for engine in engines} == {frozenset(TABLES)}
        for engine in engines:
            engine.dispose()


def test_opening_again_keeps_other_tables(tmp_path: Path) -> None:
    url = url_of(tmp_path / "bnlab.db")
    with open_database(url).begin() as connection:
        connection.execute(text("CREATE TABLE witness (x INTEGER)"))
    assert "witness" in inspect(open_database(url)).get_table_names()
