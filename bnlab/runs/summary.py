"""Summaries of runs: times to an accuracy, and the table under a comparison with one row per variant."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bnlab.runs.reader import Arrays, latencies_frame, read_evaluations
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
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
    """One row for each label of `comparison`, which maps it to its runs, one per seed.

    Columns: label, params, trainable, runs (how many have been measured), val_loss, val_loss_sd, val_accuracy,
    val_accuracy_sd (of each run's last moment; sd over seeds, missing for one), difference, difference_sd (of
    val_accuracy to the variant `baseline`, paired by seed), seconds_per_epoch (mean over seeds that have ended one),
    seconds_to_95, seconds_to_97 (mean over seeds; missing unless all got there),
    latency_1, latency_256 (seconds that predicting a batch takes, mean over seeds).
    """
    every = [run for runs in comparison.values() for run in runs]
    measured = {digest: moments for digest, moments in read_evaluations(store, every).items() if len(moments["step"])}
    timed = latencies_frame(store, [run.digest for run in every])
    latencies = dict(zip(zip(timed["run"], timed["batch_size"], strict=True), timed["seconds"], strict=True))
    rows = [_row(label, runs, measured, latencies) for label, runs in comparison.items() if runs]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    if baseline is not None and baseline in comparison:
        ends = {label: _ends(runs, measured, "val_accuracy") for label, runs in comparison.items()}
        paired = {label: _paired(values, ends[baseline]) for label, values in ends.items() if label != baseline}
        frame["difference"] = frame["label"].map({label: d.mean() for label, d in paired.items()}).astype(float)
        frame["difference_sd"] = frame["label"].map({label: d.std() for label, d in paired.items()}).astype(float)
    return frame


def steps_to(run: Run, moments: Arrays, accuracy: float) -> float:
    """The step at which val_accuracy first reached `accuracy`, interpolated linearly; NaN if it never did.

    `moments` are the run's, as `read_moments` reads them.
    """
    accuracies, steps = moments["val_accuracy"], moments["step"]
    reached = np.flatnonzero(accuracies >= accuracy)
    if not reached.size:
        return math.nan
    first = int(reached[0])
    around = [max(first - 1, 0), first]
    return float(np.interp(accuracy, accuracies[around], steps[around]))


def seconds_per_epoch(run: Run, moments: Arrays) -> float:
    """Seconds that the training steps of the run's fastest epoch took; compiling and validation do not count.

    The fastest, because whatever else the machine does can only slow an epoch down. NaN before the first epoch has
    ended, except for a run that diverged in it, which has the pace of the steps it took.
    """
    per_epoch = run.spec.steps_per_epoch
    ends = moments["seconds"][moments["step"] % per_epoch == 0]
    if len(ends) > 1:
        return float(np.diff(ends).min())
    is_known = run.step >= per_epoch or (run.state is RunState.DIVERGED and run.step > 0)
    return run.seconds / run.step * per_epoch if is_known else math.nan


def seconds_of(run: Run, moments: Arrays, steps: float) -> float:
    """Seconds that so many training steps take at the pace of `seconds_per_epoch`."""
    return steps * seconds_per_epoch(run, moments) / run.spec.steps_per_epoch


def seconds_to(run: Run, moments: Arrays, accuracy: float) -> float:
    """Seconds that the steps to `accuracy` take (see `steps_to`, `seconds_of`); NaN if it was never reached."""
    return seconds_of(run, moments, steps_to(run, moments, accuracy))


def _row(
    label: str, runs: Sequence[Run], measured: Mapping[str, Arrays], latencies: Mapping[tuple[str, int], float]
) -> dict[str, object]:
    network = describe_network(runs[0].spec)
    evaluated = [(run, measured[run.digest]) for run in runs if run.digest in measured]
    row: dict[str, object] = {
        "label": label,
        "params": network.params,
        "trainable": network.trainable,
        "runs": len(evaluated),
    }
    for column in ("val_loss", "val_accuracy"):
        row[column], row[f"{column}_sd"] = _mean_and_sd([float(moments[column][-1]) for _, moments in evaluated])
    row["seconds_per_epoch"], _ = _mean_and_sd([seconds_per_epoch(run, moments) for run, moments in evaluated])
    for target in TARGETS:
        times = [seconds_to(run, moments, target) for run, moments in evaluated]
        everyone = len(times) == len(runs) and not any(map(math.isnan, times))
        row[f"seconds_to_{target * 100:.0f}"] = _mean_and_sd(times)[0] if everyone else math.nan
    for size in LATENCY_BATCHES:
        row[f"latency_{size}"], _ = _mean_and_sd([latencies.get((run.digest, size), math.nan) for run in runs])
    return row


def _mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Over the values that are there; missing where there is none, and the deviation where there is one."""
    known = np.array([value for value in values if not math.isnan(value)])
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        mean = float(known.mean()) if known.size else math.nan
        return mean, float(known.std(ddof=1)) if known.size > 1 else math.nan


def _ends(runs: Sequence[Run], measured: Mapping[str, Arrays], column: str) -> "pd.Series[float]":
    """Each run's last value by its seed; those not measured yet are missing."""
    ends = {run.spec.seed: measured[run.digest][column][-1] for run in runs if run.digest in measured}
    return pd.Series(ends, dtype=float)


def _paired(values: "pd.Series[float]", baseline: "pd.Series[float]") -> "pd.Series[float]":
    return (values - baseline).dropna().replace([np.inf, -np.inf], np.nan)
