"""Opening the database of a store, and migrating it to the present schema."""

import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from bnlab.runs.schema import SCHEMA_REVISION, metadata, runs

BUSY_SECONDS = 20
"""How long a connection waits for the locks of others."""
EXAMPLE_URL = "sqlite:////tmp/bnlab.db"
MIGRATION_LOCK = 0x626E6C6162  # "bnlab" in ASCII: an advisory lock that no other application is likely to use

_revisions = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32)),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's table, declared here so that a store can be opened without importing Alembic."""


class StoreError(RuntimeError):
    """The store cannot be opened; `str()` is one sentence for the user."""


def open_database(url: str) -> Engine:
    """An engine on `url` whose tables are created or migrated to the present schema.

    Raises:
        StoreError: the URL is malformed, its driver is not installed, the database is not writable, or it was written
            by a newer version of bnlab.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"BNLAB_STORE is not a database's URL; one looks like {EXAMPLE_URL}.") from error
    masked_url = parsed.render_as_string()  # without the password
    try:
        engine = _sqlite_engine(parsed) if parsed.get_backend_name() == "sqlite" else create_engine(parsed)
        _migrate(engine)
    except ImportError as error:
        driver = (error.name or "of that database").split(".")[0]
        hint = "for PostgreSQL: pip install 'psycopg[binary]'"
        raise StoreError(
            f"BNLAB_STORE={masked_url} needs the Python driver {driver}, which is not installed ({hint})."
        ) from error
    except (ArgumentError, NoSuchModuleError, TypeError, ValueError) as error:
        raise StoreError(f"BNLAB_STORE is not a database bnlab can open ({masked_url}): {error}.") from error
    except (OSError, SQLAlchemyError) as error:
        raise StoreError(
            f"The store at {masked_url} cannot be opened or written; set BNLAB_STORE to another place."
        ) from error
    return engine


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError(f"BNLAB_STORE must name a file, which workers can share, as in {EXAMPLE_URL}.")
    path = Path(url.database).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url.set(database=str(path)))
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # WAL lets pages read while workers write; NORMAL is safe when a process is killed.
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    _use_wal(connection)


def _use_wal(connection: Any) -> None:
    """Set the journal mode, with retries while other processes open the file: busy_timeout does not apply to it."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _migrate(engine: Engine) -> None:
    """Create the tables of a new store or upgrade those of an older one; dispose of the engine on failure."""
    with ExitStack() as on_failure:
        on_failure.callback(engine.dispose)
        _create_or_upgrade(engine)
        on_failure.pop_all()


def _create_or_upgrade(engine: Engine) -> None:
    with engine.connect() as connection:
        if _revision(connection) == SCHEMA_REVISION:
            return
    with engine.begin() as connection:
        _lock(connection)
        revision = _revision(connection)  # another process may have changed it since
        if revision is None and not inspect(connection).has_table(runs.name):
            metadata.create_all(connection)
            _revisions.create(connection, checkfirst=True)
            connection.execute(_revisions.insert().values(version_num=SCHEMA_REVISION))
        elif revision != SCHEMA_REVISION:
            _upgrade(connection, revision)


def _upgrade(connection: Connection, revision: str | None) -> None:
    from bnlab.runs import migrations  # imported here because Alembic is slow to import and rarely needed

    if revision is not None and not migrations.is_known(revision):
        masked_url = connection.engine.url.render_as_string()
        raise StoreError(f"The store at {masked_url} was written by a newer version of bnlab; please update bnlab.")
    migrations.upgrade(connection)


def _revision(connection: Connection) -> str | None:
    """The revision of the tables; None in a new store and in one of bnlab 0.1."""
    has_revision = inspect(connection).has_table(_revisions.name)
    return connection.scalar(select(_revisions.c.version_num)) if has_revision else None


def _lock(connection: Connection) -> None:
    """Lock the database against other migrations until the transaction ends."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
