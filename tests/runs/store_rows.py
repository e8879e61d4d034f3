"""Rows of the store: specs for them, changing them past the store's methods, and counting them."""

import time
from typing import Any

from sqlalchemy import func, select, update

from bnlab.runs.run import Run, RunState
from bnlab.runs.schema import metadata, runs
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec

SPEC = RunSpec(train_examples=64, epochs=3)
OTHER = RunSpec(train_examples=64, epochs=3, seed=1)
TINY = RunSpec(train_examples=64, epochs=1)
FINISHED = [state for state in RunState if state.is_finished()]


def tiny_spec(seed: int) -> RunSpec:
    return TINY.model_copy(update={"seed": seed})


def tiny_specs(*seeds: int) -> list[tuple[RunSpec, str]]:
    """Specs with labels, one per seed."""
    return [(tiny_spec(seed), f"seed {seed}") for seed in seeds]


def is_leased(run: Run) -> bool:
    return bool(run.owner) and run.lease_until > time.time()


def update_row(store: Store, spec: RunSpec, **values: Any) -> Run:
    """Change columns of a run's row."""
    with store.engine.begin() as connection:
        connection.execute(update(runs).where(runs.c.digest == spec.digest).values(**values))
    return store.run(spec.digest)


def row_counts(store: Store) -> dict[str, int]:
    """The number of rows in each table."""
    with store.engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }
