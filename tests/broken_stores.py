"""SQLite stores that are broken for the time of a block, each in a way that was seen in use."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

from bnlab.runs.store import Store

PAGE_BYTES = 4096


def path_of(store: Store) -> Path:
    return Path(store.engine.url.database or "")


@contextmanager
def moved_away(store: Store) -> Iterator[None]:
    path = path_of(store)
    path.rename(path.with_suffix(".away"))
    try:
        yield
    finally:
        path.with_suffix(".away").rename(path)


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """As by a backup: others can read, but not write."""
    with closing(sqlite3.connect(path_of(store), isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def read_only(store: Store) -> Iterator[None]:
    with _with_pragma(store, "query_only=ON"):
        yield


@contextmanager
def full(store: Store) -> Iterator[None]:
    """No page can be added to the file."""
    store.engine.dispose()  # or pages in the write-ahead log would not be counted
    with closing(sqlite3.connect(path_of(store))) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    with _with_pragma(store, f"max_page_count={pages}"):
        yield


@contextmanager
def full_disk() -> Iterator[None]:
    """No database that is opened meanwhile can have more than its first page."""

    def set_pragma(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=1").close()

    event.listen(Pool, "connect", set_pragma)
    try:
        yield
    finally:
        event.remove(Pool, "connect", set_pragma)


@contextmanager
def _with_pragma(store: Store, pragma: str) -> Iterator[None]:
    def set_pragma(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA {pragma}").close()

    event.listen(store.engine, "connect", set_pragma)
    store.engine.dispose()
    try:
        yield
    finally:
        event.remove(store.engine, "connect", set_pragma)
        store.engine.dispose()


@contextmanager
def garbled(store: Store) -> Iterator[None]:
    """All pages after the first, which has the tables' definitions, are overwritten, as by a broken disk."""
    path = path_of(store)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.engine.dispose()
    content = path.read_bytes()
    path.write_bytes(content[:PAGE_BYTES] + b"\xa5" * (len(content) - PAGE_BYTES))
    try:
        yield
    finally:
        store.engine.dispose()
        for name in (f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        path.write_bytes(content)


@contextmanager
def without_column(store: Store) -> Iterator[None]:
    with closing(sqlite3.connect(path_of(store))) as connection:
        connection.execute("ALTER TABLE runs RENAME COLUMN state TO status")
        connection.commit()
        yield
        connection.execute("ALTER TABLE runs RENAME COLUMN status TO state")
        connection.commit()


Breakage = Callable[[Store], AbstractContextManager[None]]

UNREADABLE: dict[str, Breakage] = {"moved away": moved_away, "garbled": garbled, "without a column": without_column}
UNWRITABLE: dict[str, Breakage] = {"locked": locked, "read-only": read_only, "full": full}
WORDS = {
    "moved away": "gone",
    "garbled": "damaged",
    "without a column": "column",
    "locked": "locked",
    "read-only": "read-only",
    "full": "full",
}
"""What each error's sentence says."""


def is_a_plain_sentence(text: str) -> bool:
    """Whether the text is one sentence without a path, an address, SQL, or SQLAlchemy's hint."""
    forbidden = ("/tmp", "sqlite", "SELECT", "UPDATE", "INSERT", "Background on", "Error", "\n")
    return text.endswith(".") and text[:-1].count(". ") == 0 and not any(word in text for word in forbidden)
