"""Opening the database behind a store."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from bnlab.runs.schema import metadata

BUSY_SECONDS = 20
EXAMPLE = "sqlite:////tmp/bnlab.db"


class StoreError(RuntimeError):
    """The store cannot be used; `str()` is one sentence for the user."""


def open_database(url: str) -> Engine:
    """An engine on `url` with bnlab's tables in it.

    Raises:
        StoreError: the URL is malformed, its driver is not installed, or nothing can be written there.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"BNLAB_STORE is not a database's URL; one looks like {EXAMPLE}.") from error
    place = parsed.render_as_string()  # a password in it is masked
    try:
        engine = _sqlite_engine(parsed) if parsed.get_backend_name() == "sqlite" else create_engine(parsed)
        _create_tables(engine)
    except ImportError as error:
        driver = (error.name or "of that database").split(".")[0]
        hint = "for PostgreSQL: pip install 'psycopg[binary]'"
        raise StoreError(
            f"BNLAB_STORE={place} needs the Python driver {driver}, which is not installed ({hint})."
        ) from error
    except (ArgumentError, NoSuchModuleError, TypeError, ValueError) as error:
        raise StoreError(f"BNLAB_STORE is not a database bnlab can open ({place}): {error}.") from error
    except (OSError, SQLAlchemyError) as error:
        raise StoreError(
            f"The store at {place} cannot be opened or written; set BNLAB_STORE to another place."
        ) from error
    return engine


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError(f"BNLAB_STORE must name a file, which workers can share, as in {EXAMPLE}.")
    path = Path(url.database).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url.set(database=str(path)))
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # WAL lets pages read while workers write; NORMAL survives a killed process, which is what happens here.
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    _use_wal(connection)


def _use_wal(connection: Any) -> None:
    """Change the journal's mode, for which SQLite itself does not wait where others open the file as well."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _create_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            # IF NOT EXISTS, since several processes may open a new store at once.
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
