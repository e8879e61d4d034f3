"""All runs at a glance, and the room they take."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

import pandas as pd
from sqlalchemy import delete, func, select
from sqlalchemy.exc import OperationalError

from bnlab.runs.run import Run
from bnlab.runs.schema import checkpoints, evaluations, layers, snapshots, steps
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.choices import PLACEMENTS

COLUMNS = (
    "digest",
    "label",
    "placement",
    "state",
    "progress",
    "val_accuracy",
    "seconds",
    "epochs",
    "seed",
    "made",
    "recorded",
)


def runs_frame(store: Store, runs: Sequence[Run]) -> pd.DataFrame:
    """One row a run, the newest first.

    Columns: digest, label, placement (in words), state, progress (0 to 1), val_accuracy (of the last moment), seconds
    (of training), epochs, seed, made (when it was first launched, in local time), recorded (whether it came with
    bnlab).
    """
    ends = _last_accuracies(store, [run.digest for run in runs])
    rows = [
        (
            run.digest,
            run.label,
            PLACEMENTS[run.spec.placement].title,
            str(run.state),
            run.progress,
            ends.get(run.digest),
            run.seconds,
            run.spec.epochs,
            run.spec.seed,
            pd.Timestamp.fromtimestamp(run.created_at).floor("s"),
            bool(run.recorded),
        )
        for run in sorted(runs, key=lambda run: (run.created_at, run.digest), reverse=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"val_accuracy": float})


def disk_use(store: Store) -> dict[str, int]:
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


def drop_checkpoints(store: Store, digests: Iterable[str]) -> None:
    """Forget the final weights of completed runs: their curves stay, but their model can no longer be exported."""
    chosen = set(digests) & set(completed_checkpoints(store))
    with store.engine.begin() as connection:
        connection.execute(delete(checkpoints).where(checkpoints.c.run.in_(chosen)))
    if store.engine.dialect.name == "sqlite":
        # Or the file keeps its size; which it does where somebody writes all the time, until the next clearing out.
        with store.engine.connect() as connection, suppress(OperationalError):
            connection.exec_driver_sql("VACUUM")


def _last_accuracies(store: Store, digests: Sequence[str]) -> dict[str, float]:
    last = (
        select(evaluations.c.run, func.max(evaluations.c.step).label("step"))
        .where(evaluations.c.run.in_(digests))
        .group_by(evaluations.c.run)
        .subquery()
    )
    query = select(evaluations.c.run, evaluations.c.val_accuracy).join(
        last, (evaluations.c.run == last.c.run) & (evaluations.c.step == last.c.step)
    )
    with store.engine.connect() as connection:
        return {row.run: row.val_accuracy for row in connection.execute(query)}
