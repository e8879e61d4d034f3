"""The table under a comparison: one row a variant, over its seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bnlab.runs.frames import latencies_frame, moments_frame
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.spec.network import describe_network
from bnlab.training.records import LATENCY_BATCHES

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
    "difference",
    "difference_sd",
    "seconds_per_epoch",
    *(f"seconds_to_{target * 100:.0f}" for target in TARGETS),
    *(f"latency_{size}" for size in LATENCY_BATCHES),
)


def results_frame(store: Store, comparison: Mapping[str, Sequence[Run]], baseline: str | None = None) -> pd.DataFrame:
    """One row for each label of `comparison`, which maps it to its runs, one a seed.

    Columns: label, params, trainable, runs (how many have been measured), val_loss, val_loss_sd, val_accuracy,
    val_accuracy_sd (of each run's last moment; sd over seeds, missing for one), difference, difference_sd (of
    val_accuracy to the variant `baseline`, paired by seed), seconds_per_epoch, seconds_to_95, seconds_to_97 (mean over
    seeds of the time in training steps; missing unless all got there), latency_1, latency_256 (seconds that predicting
    a batch takes, mean over seeds).
    """
    every = [run for runs in comparison.values() for run in runs]
    measured = {str(digest): own for digest, own in moments_frame(store, every).groupby("run")}
    latencies = latencies_frame(store, [run.digest for run in every])
    rows = [_row(label, runs, measured, latencies) for label, runs in comparison.items() if runs]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    if baseline is not None and baseline in comparison:
        ends = {label: _ends(runs, measured, "val_accuracy") for label, runs in comparison.items()}
        paired = {label: _paired(own, ends[baseline]) for label, own in ends.items() if label != baseline}
        frame["difference"] = frame["label"].map({label: d.mean() for label, d in paired.items()}).astype(float)
        frame["difference_sd"] = frame["label"].map({label: d.std() for label, d in paired.items()}).astype(float)
    return frame


def seconds_to(moments: pd.DataFrame, accuracy: float) -> float:
    """The training seconds of one run until val_accuracy first reached `accuracy`; NaN if it never did."""
    reached = moments.loc[moments["val_accuracy"] >= accuracy, "seconds"]
    return float(reached.iloc[0]) if len(reached) else float("nan")


def _row(
    label: str, runs: Sequence[Run], measured: Mapping[str, pd.DataFrame], latencies: pd.DataFrame
) -> dict[str, object]:
    network = describe_network(runs[0].spec)
    own = [measured.get(run.digest) for run in runs]
    row: dict[str, object] = {
        "label": label,
        "params": network.params,
        "trainable": network.trainable,
        "runs": sum(m is not None for m in own),
    }
    for column in ("val_loss", "val_accuracy"):
        values = _ends(runs, measured, column)
        row |= {column: values.mean(), f"{column}_sd": values.std()}
    epochs = pd.Series([run.seconds / run.step * run.spec.steps_per_epoch for run in runs if run.step], dtype=float)
    row["seconds_per_epoch"] = epochs.mean()
    for target in TARGETS:
        times = pd.Series([seconds_to(m, target) if m is not None else np.nan for m in own], dtype=float)
        row[f"seconds_to_{target * 100:.0f}"] = times.mean(skipna=False)
    timed = latencies[latencies["run"].isin([run.digest for run in runs])]
    for size in LATENCY_BATCHES:
        row[f"latency_{size}"] = timed.loc[timed["batch_size"] == size, "seconds"].astype(float).mean()
    return row


def _ends(runs: Sequence[Run], measured: Mapping[str, pd.DataFrame], column: str) -> "pd.Series[float]":
    """Each run's last value by its seed; those not measured yet are missing."""
    ends = {run.spec.seed: measured[run.digest][column].iloc[-1] for run in runs if run.digest in measured}
    return pd.Series(ends, dtype=float)


def _paired(own: "pd.Series[float]", baseline: "pd.Series[float]") -> "pd.Series[float]":
    return (own - baseline).dropna().replace([np.inf, -np.inf], np.nan)
