"""Rows of the store as no method would leave them, and how many there are."""

from typing import Any

from sqlalchemy import func, select, update

from bnlab.runs.run import Run, RunState
from bnlab.runs.schema import metadata, runs
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec

SPEC = RunSpec(train_examples=64, epochs=3)
OTHER = RunSpec(train_examples=64, epochs=3, seed=1)
FINISHED = [state for state in RunState if state.is_finished()]


def put(store: Store, spec: RunSpec, **values: Any) -> Run:
    """Change a run's row as no method would, say because time went by."""
    with store.engine.begin() as connection:
        connection.execute(update(runs).where(runs.c.digest == spec.digest).values(**values))
    return store.run(spec.digest)


def row_counts(store: Store) -> dict[str, int]:
    with store.engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }
