"""All runs as one table, the newest first."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import func, select

from bnlab.runs.run import Run
from bnlab.runs.schema import evaluations
from bnlab.runs.store import Store
from bnlab.specs.choices import PLACEMENTS

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
