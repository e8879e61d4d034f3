"""The disk space that runs take, and what of it can be freed."""

from collections.abc import Iterable
from contextlib import suppress

from sqlalchemy import delete, func, select
from sqlalchemy.exc import OperationalError

from bnlab.runs.run import RunState
from bnlab.runs.schema import checkpoints, layers, snapshots, steps
from bnlab.runs.store import Store


def storage_use(store: Store) -> dict[str, int]:
    """Bytes of recorded arrays by what they are: steps, snapshots (of BN layers), layers, checkpoints."""
    parts = {
        "steps": (steps.c.loss, steps.c.accuracy),
        "snapshots": (snapshots.c["values"],),
        "layers": (layers.c.percentiles,),
        "checkpoints": (checkpoints.c["values"],),
    }
    with store.engine.connect() as connection:
        return {
            name: sum(connection.scalar(select(func.coalesce(func.sum(func.length(c)), 0))) or 0 for c in columns)
            for name, columns in parts.items()
        }


def completed_checkpoints(store: Store) -> list[str]:
    """The digests of completed or diverged runs whose checkpoint is still kept, though nothing will continue them."""
    ended = [run.digest for run in store.runs() if run.state in (RunState.COMPLETED, RunState.DIVERGED)]
    query = select(checkpoints.c.run).where(checkpoints.c.run.in_(ended)).distinct()
    with store.engine.connect() as connection:
        return list(connection.scalars(query))


def delete_checkpoints(store: Store, digests: Iterable[str]) -> None:
    """Forget the final weights of completed runs: their curves stay, but their model can no longer be exported."""
    chosen = set(digests) & set(completed_checkpoints(store))
    with store.engine.begin() as connection:
        connection.execute(delete(checkpoints).where(checkpoints.c.run.in_(chosen)))
    if store.engine.dialect.name == "sqlite":
        # Or the file keeps its size; which it does where somebody writes all the time, until the next clearing out.
        with store.engine.connect() as connection, suppress(OperationalError):
            connection.exec_driver_sql("VACUUM")
