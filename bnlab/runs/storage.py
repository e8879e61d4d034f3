"""The disk space that runs take, and freeing it by deleting checkpoints."""

from collections.abc import Iterable
from contextlib import suppress

from sqlalchemy import delete, func, select

from bnlab.runs.errors import StoreError
from bnlab.runs.run import TRAINED
from bnlab.runs.schema import checkpoints, layers, runs, snapshots, steps
from bnlab.runs.store import Store


def storage_use(store: Store) -> dict[str, int]:
    """The bytes of stored arrays by kind: steps, snapshots, layers, checkpoints."""
    columns_by_kind = {
        "steps": (steps.c.loss, steps.c.accuracy),
        "snapshots": (snapshots.c["values"],),
        "layers": (layers.c.percentiles,),
        "checkpoints": (checkpoints.c["values"],),
    }
    with store.engine.connect() as connection:
        return {
            kind: sum(connection.scalar(select(func.coalesce(func.sum(func.length(c)), 0))) or 0 for c in columns)
            for kind, columns in columns_by_kind.items()
        }


def stored_bytes(store: Store) -> int:
    """The size of the store on its disk in bytes, without the space in it that was freed by deletions."""
    with store.engine.connect() as connection:
        if store.engine.dialect.name == "sqlite":
            names = ("page_count", "freelist_count", "page_size")
            pages, free, size = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names)
            return int((pages - free) * size)
        return int(connection.scalar(select(func.pg_database_size(func.current_database()))) or 0)


def completed_checkpoints(store: Store) -> list[str]:
    """The digests of completed and diverged runs with a checkpoint, which they no longer need for training."""
    query = select(checkpoints.c.run).join(runs).where(runs.c.state.in_(TRAINED)).distinct()
    with store.engine.connect() as connection:
        return list(connection.scalars(query))


def delete_checkpoints(store: Store, digests: Iterable[str]) -> None:
    """Delete the checkpoints of completed and diverged runs, so that their models can no longer be exported."""
    chosen = set(digests) & set(completed_checkpoints(store))
    with store.engine.begin() as connection:
        connection.execute(delete(checkpoints).where(checkpoints.c.run.in_(chosen)))
    if store.engine.dialect.name == "sqlite":
        # Without it the file keeps its size. It fails while others write, and then the next deletion frees the space.
        with store.engine.connect() as connection, suppress(StoreError):
            connection.exec_driver_sql("VACUUM")
