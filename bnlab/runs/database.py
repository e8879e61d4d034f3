"""Opening the database behind a store."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from bnlab.runs.schema import metadata


class StoreError(RuntimeError):
    """The store cannot be used; `str()` is one sentence for the user."""


def open_database(url: str) -> Engine:
    """An engine on `url` with bnlab's tables in it.

    Raises:
        StoreError: the URL is malformed, its driver is not installed, or nothing can be written there.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
        if parsed.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        _create_tables(engine)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StoreError(f"BNLAB_STORE is not a database bnlab can open ({url}): {error}.") from error
    except (OSError, SQLAlchemyError) as error:
        raise StoreError(
            f"The store at {parsed.render_as_string()} cannot be opened or written; set BNLAB_STORE to another place."
        ) from error
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # WAL lets pages read while workers write; NORMAL survives a killed process, which is what happens here.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=20000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _create_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            # IF NOT EXISTS, since several processes may open a new store at once.
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
