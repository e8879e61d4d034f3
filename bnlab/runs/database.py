"""Opening the database of a store, and migrating it to the present schema."""

import errno
import sqlite3
import time
from contextlib import ExitStack
from functools import partial
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
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError, SQLAlchemyError

from bnlab.runs.errors import DISK_FULL, GONE, NO_FOLDER, UNREACHABLE, StoreError, StorePool, translate_error
from bnlab.runs.schema import SCHEMA_REVISION, metadata, runs

BUSY_SECONDS = 20.0
"""How long a connection waits for the locks of others."""
INTERACTIVE_BUSY_SECONDS = 2.0
"""The same where a person waits for an answer: on pages and in the terminal."""
CONNECT_SECONDS = 5
"""How long a database server may take to accept a connection."""
EXAMPLE_URL = "sqlite:////tmp/bnlab.db"
MIGRATION_LOCK = 0x626E6C6162  # "bnlab" in ASCII: an advisory lock that no other application is likely to use

_revisions = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32)),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's table, declared here so that a store can be opened without importing Alembic."""


def open_database(url: str, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine on `url` whose tables are created or migrated to the present schema.

    All errors of the database are raised as StoreErrors, here and later. An SQLite file that is moved away or replaced
    is noticed at the next use.

    Args:
        url: a SQLAlchemy URL.
        busy_seconds: how long a connection waits for the locks of others.

    Raises:
        StoreError: the URL is malformed, its driver is not installed, the database is not writable, or it was written
            by a newer version of bnlab.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"BNLAB_STORE is not a database's URL; one looks like {EXAMPLE_URL}.") from error
    try:
        is_sqlite = parsed.get_backend_name() == "sqlite"
        engine = _sqlite_engine(parsed, busy_seconds) if is_sqlite else _server_engine(parsed, busy_seconds)
        event.listen(engine, "handle_error", translate_error, retval=True)
        _migrate(engine)
    except ImportError as error:
        driver = (error.name or "of that database").split(".")[0]
        hint = "for PostgreSQL: pip install 'psycopg[binary]'"
        raise StoreError(f"BNLAB_STORE needs the Python driver {driver}, which is not installed ({hint}).") from error
    except (ArgumentError, NoSuchModuleError, TypeError, ValueError) as error:
        raise StoreError(f"BNLAB_STORE is not a database that bnlab can open; one looks like {EXAMPLE_URL}.") from error
    except OSError as error:
        raise StoreError(DISK_FULL if error.errno == errno.ENOSPC else UNREACHABLE) from error
    except SQLAlchemyError as error:
        raise StoreError(UNREACHABLE) from error
    return engine


def _server_engine(url: URL, busy_seconds: float) -> Engine:
    """An engine of a database server, whose lost connections are replaced."""
    takes_timeout = url.get_driver_name().startswith("psycopg") and "connect_timeout" not in url.query
    arguments = {"connect_timeout": CONNECT_SECONDS} if takes_timeout else {}
    engine = create_engine(url, connect_args=arguments, pool_pre_ping=True, poolclass=StorePool)
    if url.get_backend_name() == "postgresql":
        event.listen(engine, "connect", partial(_limit_lock_time, seconds=busy_seconds))
    return engine


def _limit_lock_time(connection: Any, _record: Any, *, seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {round(seconds * 1000)}")
    connection.commit()


def _sqlite_engine(url: URL, busy_seconds: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError(f"BNLAB_STORE must name a file, which workers can share, as in {EXAMPLE_URL}.")
    path = Path(url.database).expanduser()
    if not path.parent.exists():
        raise StoreError(NO_FOLDER)
    engine = create_engine(url.set(database=str(path)), poolclass=StorePool, max_overflow=-1)
    event.listen(engine, "connect", partial(_prepare_sqlite, busy_seconds=busy_seconds))
    return engine


def _watch_file(engine: Engine) -> None:
    """Use the file that has the store's name now, and only if there is one: SQLite would create an empty one."""
    path = Path(engine.url.database or "")
    opened = _file_id(path)  # that of the connection by which the store was opened

    def require_file(*_arguments: object) -> None:
        if not path.exists():
            raise StoreError(GONE)

    def remember_file(_connection: object, record: Any) -> None:
        record.info["file"] = _file_id(path)

    def compare_file(_connection: object, record: Any, _proxy: object) -> None:
        if record.info.setdefault("file", opened) != _file_id(path):
            raise DisconnectionError

    event.listen(engine, "do_connect", require_file)
    event.listen(engine, "connect", remember_file)
    event.listen(engine, "checkout", compare_file)


def _file_id(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _prepare_sqlite(connection: Any, _record: Any, *, busy_seconds: float) -> None:
    # WAL lets pages read while workers write; NORMAL is safe when a process is killed.
    for pragma in (f"busy_timeout={round(busy_seconds * 1000)}", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    _use_wal(connection, busy_seconds)


def _use_wal(connection: Any, busy_seconds: float) -> None:
    """Set the journal mode, with retries while other processes open the file: busy_timeout does not apply to it."""
    deadline = time.monotonic() + busy_seconds
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
    if engine.dialect.name == "sqlite":
        _watch_file(engine)


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
        raise StoreError("The store was written by a newer version of bnlab; please update bnlab.")
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
