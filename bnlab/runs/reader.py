"""What was recorded, as DataFrames; and as bare arrays (`read_…`) what a page reads on at every tick."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Row, bindparam, func, select

from bnlab.runs.run import Run
from bnlab.runs.schema import evaluations, latencies, layers, snapshots, steps
from bnlab.runs.store import Store
from bnlab.runs.writer import FLOATS
from bnlab.training.records import PERCENTILES
from bnlab.training.schedule import batch_sizes

PERCENTILE_COLUMNS = tuple(f"p{p}" for p in PERCENTILES)
MEASURED_COLUMNS = ("step", "seconds", "val_loss", "val_accuracy")

# Put together once: a tick would spend more time on that than on the reading.
_OF_RUN = steps.c.run == bindparam("run")
_AFTER = bindparam("after", type_=BigInteger)
_REACHING = select(func.max(steps.c.first_step)).where(_OF_RUN, steps.c.first_step <= _AFTER).scalar_subquery()
_BLOCKS = select(steps).where(_OF_RUN, steps.c.first_step >= _REACHING).order_by(steps.c.first_step)
_MOMENTS = (
    select(evaluations.c.run, *(evaluations.c[name] for name in MEASURED_COLUMNS))
    .where(evaluations.c.run.in_(bindparam("runs", expanding=True)), evaluations.c.step > _AFTER)
    .order_by(evaluations.c.run, evaluations.c.step)
)

Arrays = dict[str, NDArray[Any]]


def read_steps(store: Store, after: Mapping[str, int]) -> dict[str, Arrays]:
    """Columns step (from 1), loss, accuracy of each run, by digest: every step beyond `after`, on its training batch.

    `after` maps each run's digest to the last step that is not wanted, 0 for all.
    """
    with store.engine.connect() as connection:
        blocks = {
            digest: connection.execute(_BLOCKS, {"run": digest, "after": step}).all() for digest, step in after.items()
        }
    return {digest: _joined_blocks(blocks[digest], step) for digest, step in after.items()}


def _joined_blocks(blocks: Sequence[Row[Any]], after: int) -> Arrays:
    loss = np.frombuffer(b"".join(block.loss for block in blocks), FLOATS)
    accuracy = np.frombuffer(b"".join(block.accuracy for block in blocks), FLOATS)
    first = blocks[0].first_step if blocks else 0
    skip = max(after - first, 0)  # `after` may lie within a block
    step = first + 1 + np.arange(len(loss))
    return {"step": step[skip:], "loss": loss[skip:], "accuracy": accuracy[skip:]}


def steps_frame(store: Store, digest: str, after: int = 0) -> pd.DataFrame:
    """What `read_steps` reads of one run, as a DataFrame."""
    return pd.DataFrame(read_steps(store, {digest: after})[digest])


def evaluations_frame(store: Store, runs: Sequence[Run]) -> pd.DataFrame:
    """Columns run, step, epoch, seconds, val_loss, val_accuracy: each moment of each run, in order."""
    per_epoch = {run.digest: run.spec.steps_per_epoch for run in runs}
    query = select(evaluations).where(evaluations.c.run.in_(per_epoch)).order_by(evaluations.c.run, evaluations.c.step)
    with store.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=[c.name for c in evaluations.columns])
    frame.insert(2, "epoch", frame["step"] / frame["run"].map(per_epoch))
    return frame.astype({"step": int, "epoch": float, "seconds": float, "val_loss": float, "val_accuracy": float})


def read_evaluations(store: Store, runs: Sequence[Run], after: int = -1) -> dict[str, Arrays]:
    """Each run's moments beyond step `after`, by its digest: columns step, epoch, seconds, val_loss, val_accuracy."""
    with store.engine.connect() as connection:
        found = connection.execute(_MOMENTS, {"runs": [run.digest for run in runs], "after": after}).all()
    rows: dict[str, list[tuple[Any, ...]]] = {run.digest: [] for run in runs}
    for digest, *row in found:
        rows[digest].append(tuple(row))
    return {run.digest: _measured(rows[run.digest], run.spec.steps_per_epoch) for run in runs}


def _measured(rows: Sequence[tuple[Any, ...]], per_epoch: int) -> Arrays:
    numbers = np.array(rows, float).reshape(-1, len(MEASURED_COLUMNS))  # what is missing (None) is NaN
    columns = dict(zip(MEASURED_COLUMNS, numbers.T, strict=True))
    return columns | {"step": columns["step"].astype(int), "epoch": columns["step"] / per_epoch}


def last_evaluated_steps(store: Store, digests: Sequence[str]) -> dict[str, int]:
    """The step of each run's latest moment, -1 before the first."""
    query = (
        select(evaluations.c.run, func.max(evaluations.c.step))
        .where(evaluations.c.run.in_(digests))
        .group_by(evaluations.c.run)
    )
    with store.engine.connect() as connection:
        return dict.fromkeys(digests, -1) | {run: int(last) for run, last in connection.execute(query)}


def latencies_frame(store: Store, digests: Sequence[str]) -> pd.DataFrame:
    """Columns run, batch_size, seconds: how long predicting one batch took when the run was completed."""
    query = select(latencies).where(latencies.c.run.in_(digests)).order_by(latencies.c.run, latencies.c.batch_size)
    with store.engine.connect() as connection:
        return pd.DataFrame(connection.execute(query).all(), columns=[c.name for c in latencies.columns])


def history_frame(store: Store, run: Run) -> pd.DataFrame:
    """Columns epoch (from 1), step, loss, accuracy, val_loss, val_accuracy: one row a finished epoch.

    Loss and accuracy are averaged over the epoch's examples in training mode, as Keras's `fit` reports them.
    """
    curve, per_epoch = steps_frame(store, run.digest), run.spec.steps_per_epoch
    curve["epoch"] = (curve["step"] - 1) // per_epoch + 1
    weight = batch_sizes(run.spec, 0, len(curve)).astype(float)
    weighted = curve[["loss", "accuracy"]].astype(float).mul(weight, axis=0).assign(weight=weight)
    sums = weighted.groupby(curve["epoch"]).sum()
    epochs = sums[["loss", "accuracy"]].div(sums["weight"], axis=0).reset_index()
    epochs.insert(1, "step", epochs["epoch"] * per_epoch)
    measured = evaluations_frame(store, [run])[["step", "val_loss", "val_accuracy"]]
    return epochs.merge(measured, on="step")


def layers_frame(store: Store, digest: str) -> pd.DataFrame:
    """Columns step, layer, gradient_norm, weight_norm, p5 … p95 of the pre-activations, by hidden layer."""
    query = select(layers).where(layers.c.run == digest).order_by(layers.c.step)
    with store.engine.connect() as connection:
        rows = connection.execute(query).all()
    numbers = ["gradient_norm", "weight_norm", *PERCENTILE_COLUMNS]
    frame = pd.DataFrame(
        [
            (r.step, r.layer, r.gradient_norm, r.weight_norm, *np.frombuffer(r.percentiles, FLOATS).tolist())
            for r in rows
        ],
        columns=["step", "layer", *numbers],
    )
    return frame.astype({"step": int} | dict.fromkeys(numbers, float))


def snapshots_frame(store: Store, digest: str, layer: str) -> pd.DataFrame:
    """Columns step, variable, values (`[units]` float32 arrays): one BN layer over the run's moments."""
    query = (
        select(snapshots.c.step, snapshots.c.variable, snapshots.c["values"])
        .where(snapshots.c.run == digest, snapshots.c.layer == layer)
        .order_by(snapshots.c.step, snapshots.c.variable)
    )
    with store.engine.connect() as connection:
        rows = connection.execute(query).all()
    return pd.DataFrame(
        [(step, variable, np.frombuffer(values, FLOATS)) for step, variable, values in rows],
        columns=["step", "variable", "values"],
    )
