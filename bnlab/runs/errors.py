"""Errors of the store, each as one sentence for the user: the only place that knows the errors of the databases."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

CONFLICT = "Another process has just written the same to the store; try again."
DAMAGED = "The store's file is damaged or not a database: restore a copy of it, or set BNLAB_STORE to another place."
DAMAGED_RECORDING = "A recording that ships with bnlab is damaged: install bnlab again."
DISK_FULL = "The disk of the store is full: free some space on it."
GONE = "The store's file is gone: bring it back, or restart bnlab to begin a new store."
LOCKED = "The store is locked by another process: try again when that has ended."
NO_ANSWER = "The database of the store does not answer."
NO_CONNECTION = "The database of the store has no free connection."
NO_FOLDER = "The folder of the store does not exist: create it, or set BNLAB_STORE to another place."
OTHER_TABLES = "The store lacks a table or column of this version of bnlab: it was changed by something else."
READ_ONLY = "The store is read-only: bnlab needs the right to write to it."
REFUSED = "The database of the store refuses the user or the password in BNLAB_STORE."
UNREACHABLE = "The store cannot be opened or read: check its place, BNLAB_STORE, and the rights to it."

FULL_BYTES = 64 * 1024
"""With less free space SQLite cannot open the files beside the database, and says only that it cannot open them."""

_SQLITE = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_CANTOPEN: UNREACHABLE,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_IOERR: UNREACHABLE,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_READONLY: READ_ONLY,
}
"""By SQLite's primary result code."""
_SQLSTATE = {
    "08": NO_ANSWER,
    "25006": READ_ONLY,
    "28": REFUSED,
    "3D": UNREACHABLE,
    "42501": READ_ONLY,
    "42703": OTHER_TABLES,
    "42P01": OTHER_TABLES,
    "53100": DISK_FULL,
    "53300": NO_CONNECTION,
    "55P03": LOCKED,
    "57": NO_ANSWER,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}
"""By PostgreSQL's error code, or by its first two characters, the class."""


class StoreError(RuntimeError):
    """The store cannot be opened, read or written; `str()` is one sentence without addresses, paths and SQL.

    Nothing was written, unless the connection was lost while a transaction was committed.
    """


class ConflictError(StoreError):
    """A row that another process has just written."""


class DamagedError(StoreError):
    """Something in the store that cannot be decoded, as on a damaged page of its file; the rest may be readable."""


@contextmanager
def decoding(sentence: str = DAMAGED) -> Iterator[None]:
    """Raise a DamagedError in place of whatever decoding stored bytes raises: they may be anything."""
    try:
        yield
    except Exception as error:
        raise DamagedError(sentence) from error


def translate_error(context: ExceptionContext) -> StoreError | None:
    """The StoreError for an error of the database: a handler of SQLAlchemy's event `handle_error`."""
    if context.sqlalchemy_exception is None or context.is_pre_ping:  # not the database's; a lost connection is replaced
        return None
    if isinstance(context.sqlalchemy_exception, IntegrityError):
        return ConflictError(CONFLICT)
    error = context.original_exception
    url = context.engine.url if context.engine is not None else None
    if isinstance(error, sqlite3.Error):
        return StoreError(_sqlite_sentence(error, url))
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    sentence = _SQLSTATE.get(state) or _SQLSTATE.get(state[:2])
    if sentence is None and (context.is_disconnect or not state):  # an error without a code is one of the connection
        sentence = REFUSED if "authentication failed" in str(error) else NO_ANSWER
    return StoreError(sentence or _unexpected(error))


def _sqlite_sentence(error: sqlite3.Error, url: URL | None) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return DAMAGED if "decode" in str(error) else _unexpected(error)
    sentence = _SQLITE.get(code & 0xFF)
    if sentence is UNREACHABLE and url is not None and _is_disk_full(Path(url.database or "")):
        return DISK_FULL
    if sentence is None and str(error).startswith(("no such", "table ")):
        return OTHER_TABLES
    return sentence or _unexpected(error)


def _is_disk_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < FULL_BYTES
    except OSError:
        return False


def _unexpected(error: BaseException) -> str:
    return f"The store answered with an unexpected error, {type(error).__name__}."


class StorePool(QueuePool):
    """A pool whose timeout is a StoreError, since SQLAlchemy's event does not see it."""

    def connect(self) -> PoolProxiedConnection:
        """A connection of the pool."""
        try:
            return super().connect()
        except PoolTimeoutError as error:
            raise StoreError(NO_CONNECTION) from error
