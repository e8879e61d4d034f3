"""Summaries of runs: one row per variant of a comparison, one row per run, and the measures they have in common."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sqlalchemy import BindParameter, bindparam, func, select

from bnlab.runs.latencies import Latencies, read_latencies
from bnlab.runs.reader import Arrays, read_evaluations
from bnlab.runs.run import Run, RunState
from bnlab.runs.schema import evaluations
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network, prediction_key
from bnlab.training.records import LATENCY_BATCHES

TARGETS = (0.95, 0.97)
RESULTS_COLUMNS = (
    "label",
    "params",
    "trainable",
    "runs",
    "diverged",
    "diverged_step",
    "val_loss",
    "val_loss_sd",
    "val_accuracy",
    "val_accuracy_sd",
    "difference",
    "difference_sd",
    "difference_runs",
    "seconds_per_epoch",
    *(f"seconds_to_{target * 100:.0f}" for target in TARGETS),
    "shared",
    *(f"latency_{size}" for size in LATENCY_BATCHES),
)
SHARED_TEXTS = {False: "alone", True: "beside other work", None: "not known"}
"""How the seconds of a row were measured, by its value in the column `shared`."""
MADE_DTYPE = "datetime64[s, UTC]"
RUNS_COLUMNS = (
    "digest",
    "label",
    "state",
    "progress",
    "val_accuracy",
    "seconds",
    "images_per_second",
    "shared",
    "made",
    "recorded",
    "tags",
    "note",
)
MAX_DIGESTS = 10_000
"""How many digests one query names; SQLite and PostgreSQL allow some ten thousand parameters."""


def results_frame(store: Store, comparison: Mapping[str, Sequence[Run]], baseline: str | None = None) -> pd.DataFrame:
    """One row per label of `comparison`, which maps it to its runs, one per seed.

    Columns: label, params, trainable, runs (how many have been evaluated and have not diverged), diverged (how many
    have), diverged_step (the first step at which one did), val_loss, val_loss_sd, val_accuracy, val_accuracy_sd (of
    each run's last evaluation; sd over seeds, missing for one), difference, difference_sd (of val_accuracy to the
    variant `baseline`, paired by seed), difference_runs (how many seeds they are over), seconds_per_epoch (mean over
    seeds that have finished one), seconds_to_95, seconds_to_97 (mean over seeds; missing unless all have reached it),
    shared (whether these seconds were measured while bnlab did other work on the machine, for any seed; None if that is
    not known), latency_1, latency_256 (seconds that predicting a batch takes with the variant's network; missing until
    they are measured).

    What a diverged run recorded before it diverged is no result: its values are in no mean, nor in the differences.
    """
    all_runs = [run for runs in comparison.values() for run in runs]
    evaluated = {
        digest: columns for digest, columns in read_evaluations(store, all_runs).items() if len(columns["step"])
    }
    latencies = read_latencies(store, {prediction_key(run.spec) for run in all_runs})
    rows = [_results_row(label, runs, evaluated, latencies) for label, runs in comparison.items() if runs]
    frame = pd.DataFrame(rows, columns=RESULTS_COLUMNS)
    if baseline is not None and baseline in comparison:
        accuracies = {label: _last_by_seed(runs, evaluated, "val_accuracy") for label, runs in comparison.items()}
        differences = {
            label: (values - accuracies[baseline]).dropna().replace([np.inf, -np.inf], np.nan)
            for label, values in accuracies.items()
            if label != baseline
        }
        for column, statistic in (("difference", "mean"), ("difference_sd", "std"), ("difference_runs", "count")):
            values = {label: getattr(found, statistic)() for label, found in differences.items()}
            frame[column] = frame["label"].map(values).astype(float)
    return frame


def runs_frame(store: Store, runs: Sequence[Run]) -> pd.DataFrame:
    """One row per run, in the order of `runs`; their curves are not read.

    Columns: digest, label, state, progress (0 to 1), val_accuracy (of the last evaluation), seconds (of training),
    images_per_second (training images; NaN before there are seconds), shared (whether bnlab did other work on the
    machine meanwhile; None if that is not known, or before there are seconds), made (the first launch, UTC),
    recorded (whether the run was shipped with bnlab), tags (a list), note.
    """
    accuracies = _last_accuracies(store, [run.digest for run in runs])
    rows = [
        (
            run.digest,
            run.label,
            str(run.state),
            run.progress,
            accuracies.get(run.digest),
            run.seconds,
            images_per_second(run),
            run.shared if run.seconds else None,
            datetime.fromtimestamp(int(run.created_at), UTC),
            bool(run.recorded),
            list(run.tags),
            run.note,
        )
        for run in runs
    ]
    return pd.DataFrame(rows, columns=list(RUNS_COLUMNS)).astype({"val_accuracy": float, "made": MADE_DTYPE})


def images_per_second(run: Run) -> float:
    """How many training images went through the run's steps in a second, on average; NaN before there are seconds."""
    epochs = run.step / run.spec.steps_per_epoch
    return epochs * run.spec.examples / run.seconds if run.seconds else math.nan


def steps_to(evaluated: Arrays, accuracy: float) -> float:
    """The step at which val_accuracy first reached `accuracy`, interpolated linearly; NaN if it never did.

    `evaluated` are the run's evaluations, as `read_evaluations` returns them.
    """
    accuracies, steps = evaluated["val_accuracy"], evaluated["step"]
    reached = np.flatnonzero(accuracies >= accuracy)
    if not reached.size:
        return math.nan
    first = int(reached[0])
    neighbors = [max(first - 1, 0), first]
    return float(np.interp(accuracy, accuracies[neighbors], steps[neighbors]))


def seconds_per_epoch(run: Run, evaluated: Arrays) -> float:
    """The seconds that the training steps of the run's fastest epoch took, without compiling and validation.

    The fastest, because other load on the machine can only slow an epoch down. NaN before the first epoch has ended,
    except for a run that diverged in it, which has the mean speed of the steps it took.
    """
    steps_per_epoch = run.spec.steps_per_epoch
    epoch_ends = evaluated["seconds"][evaluated["step"] % steps_per_epoch == 0]
    if len(epoch_ends) > 1:
        return float(np.diff(epoch_ends).min())
    is_known = run.step >= steps_per_epoch or (run.state is RunState.DIVERGED and run.step > 0)
    return run.seconds / run.step * steps_per_epoch if is_known else math.nan


def seconds_of(run: Run, evaluated: Arrays, steps: float) -> float:
    """The seconds that a number of training steps takes at the speed of `seconds_per_epoch`."""
    return steps * seconds_per_epoch(run, evaluated) / run.spec.steps_per_epoch


def seconds_to(run: Run, evaluated: Arrays, accuracy: float) -> float:
    """The seconds that the steps to `accuracy` take (see `steps_to`, `seconds_of`); NaN if it was never reached."""
    return seconds_of(run, evaluated, steps_to(evaluated, accuracy))


def _results_row(
    label: str, runs: Sequence[Run], evaluated: Mapping[str, Arrays], latencies: Latencies
) -> dict[str, object]:
    network = describe_network(runs[0].spec)
    run_evaluations = [(run, evaluated[run.digest]) for run in runs if run.digest in evaluated]
    results = [columns for run, columns in run_evaluations if run.state is not RunState.DIVERGED]
    diverged_steps = [run.step for run in runs if run.state is RunState.DIVERGED]
    row: dict[str, object] = {
        "label": label,
        "params": network.params,
        "trainable": network.trainable,
        "runs": len(results),
        "diverged": len(diverged_steps),
        "diverged_step": min(diverged_steps, default=math.nan),
    }
    for column in ("val_loss", "val_accuracy"):
        last_values = [float(columns[column][-1]) for columns in results]
        row[column], row[f"{column}_sd"] = _mean_and_sd(last_values)
    row["seconds_per_epoch"], _ = _mean_and_sd([seconds_per_epoch(run, columns) for run, columns in run_evaluations])
    for target in TARGETS:
        times = [seconds_to(run, columns, target) for run, columns in run_evaluations]
        all_reached = len(times) == len(runs) and not any(map(math.isnan, times))
        row[f"seconds_to_{target * 100:.0f}"] = _mean_and_sd(times)[0] if all_reached else math.nan
    row["shared"] = any_shared(run for run, _ in run_evaluations)
    for size in LATENCY_BATCHES:
        row[f"latency_{size}"] = latencies.get(prediction_key(runs[0].spec), {}).get(size, math.nan)
    return row


def any_shared(runs: Iterable[Run]) -> bool | None:
    """Whether any of `runs` shared its machine with other work of bnlab; None if that is not known, or of no runs."""
    shared = {run.shared for run in runs}
    if True in shared:
        return True
    return False if shared == {False} else None


def _mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation of the values that are not NaN; NaN without values, or one for the deviation."""
    known = np.array([value for value in values if not math.isnan(value)])
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        mean = float(known.mean()) if known.size else math.nan
        return mean, float(known.std(ddof=1)) if known.size > 1 else math.nan


def _last_by_seed(runs: Sequence[Run], evaluated: Mapping[str, Arrays], column: str) -> "pd.Series[float]":
    """The last value of each evaluated run that has not diverged, by its seed."""
    last_values = {
        run.spec.seed: evaluated[run.digest][column][-1]
        for run in runs
        if run.digest in evaluated and run.state is not RunState.DIVERGED
    }
    return pd.Series(last_values, dtype=float)


def _last_accuracies(store: Store, digests: Sequence[str]) -> dict[str, float]:
    chosen: BindParameter[str] = bindparam("digests", expanding=True)
    last = (
        select(evaluations.c.run, func.max(evaluations.c.step).label("step"))
        .where(evaluations.c.run.in_(chosen))
        .group_by(evaluations.c.run)
        .subquery()
    )
    query = select(evaluations.c.run, evaluations.c.val_accuracy).join(
        last, (evaluations.c.run == last.c.run) & (evaluations.c.step == last.c.step)
    )
    accuracies: dict[str, float] = {}
    with store.engine.connect() as connection:
        for first in range(0, len(digests), MAX_DIGESTS):
            rows = connection.execute(query, {"digests": digests[first : first + MAX_DIGESTS]})
            accuracies |= {row.run: row.val_accuracy for row in rows}
    return accuracies
