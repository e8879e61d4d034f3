"""The table under a comparison: one row a variant, over its seeds."""

from collections.abc import Mapping, Sequence

import pandas as pd

from bnlab.runs.frames import moments_frame
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.spec.network import describe_network

TARGETS = (0.95, 0.97)
COLUMNS = (
    "label",
    "params",
    "trainable",
    "runs",
    "val_loss",
    "val_loss_sd",
    "val_accuracy",
    "val_accuracy_sd",
    "seconds_per_epoch",
    *(f"seconds_to_{target * 100:.0f}" for target in TARGETS),
)


def results_frame(store: Store, comparison: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """One row for each label of `comparison`, which maps it to its runs, one a seed.

    Columns: label, params, trainable, runs (how many have been measured), val_loss, val_loss_sd, val_accuracy,
    val_accuracy_sd (of each run's last moment; sd over seeds, missing for one), seconds_per_epoch,
    seconds_to_95, seconds_to_97 (mean over seeds of the time in training steps; missing unless all got there).
    """
    measured = moments_frame(store, [run for runs in comparison.values() for run in runs])
    rows = [_row(label, runs, measured) for label, runs in comparison.items() if runs]
    return pd.DataFrame(rows, columns=COLUMNS)


def seconds_to(moments: pd.DataFrame, accuracy: float) -> float:
    """The training seconds of one run until val_accuracy first reached `accuracy`; NaN if it never did."""
    reached = moments.loc[moments["val_accuracy"] >= accuracy, "seconds"]
    return float(reached.iloc[0]) if len(reached) else float("nan")


def _row(label: str, runs: Sequence[Run], measured: pd.DataFrame) -> dict[str, object]:
    network = describe_network(runs[0].spec)
    own = [measured[measured["run"] == run.digest] for run in runs]
    last = pd.DataFrame([m.iloc[-1] for m in own if len(m)], columns=measured.columns)
    row: dict[str, object] = {
        "label": label,
        "params": network.params,
        "trainable": network.trainable,
        "runs": len(last),
    }
    for column in ("val_loss", "val_accuracy"):
        values = last[column].astype(float)
        row |= {column: values.mean(), f"{column}_sd": values.std()}
    epochs = pd.Series([run.seconds / run.step * run.spec.steps_per_epoch for run in runs if run.step], dtype=float)
    row["seconds_per_epoch"] = epochs.mean()
    for target in TARGETS:
        times = pd.Series([seconds_to(m, target) for m in own], dtype=float)
        row[f"seconds_to_{target * 100:.0f}"] = times.mean(skipna=False)
    return row
