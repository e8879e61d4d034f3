"""Reading records: as DataFrames (`…_frame`), or as arrays (`read_…`), which are faster, for live curves.

What cannot be decoded raises a `bnlab.runs.errors.DamagedError`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Row, bindparam, func, select

from bnlab.runs.errors import decoding
from bnlab.runs.run import Run
from bnlab.runs.schema import evaluations, layers, snapshots, steps
from bnlab.runs.store import Store
from bnlab.runs.writer import STORED_DTYPE
from bnlab.training.records import PERCENTILES, STATISTICS_COLUMNS
from bnlab.training.schedule import batch_sizes

PERCENTILE_COLUMNS = tuple(f"p{p}" for p in PERCENTILES)
EVALUATION_COLUMNS = ("step", "seconds", "val_loss", "val_accuracy", *STATISTICS_COLUMNS)

# The queries are built once, because building one takes longer than running it.
_IS_RUN = steps.c.run == bindparam("run")
_AFTER = bindparam("after", type_=BigInteger)
_FIRST_BLOCK = select(func.max(steps.c.first_step)).where(_IS_RUN, steps.c.first_step <= _AFTER).scalar_subquery()
_SELECT_BLOCKS = select(steps).where(_IS_RUN, steps.c.first_step >= _FIRST_BLOCK).order_by(steps.c.first_step)
_SELECT_EVALUATIONS = (
    select(evaluations.c.run, *(evaluations.c[name] for name in EVALUATION_COLUMNS))
    .where(evaluations.c.run.in_(bindparam("runs", expanding=True)), evaluations.c.step > _AFTER)
    .order_by(evaluations.c.run, evaluations.c.step)
)

Arrays = dict[str, NDArray[Any]]


def read_steps(store: Store, after: Mapping[str, int]) -> dict[str, Arrays]:
    """Columns step (from 1), loss, accuracy of each run by digest: every step beyond `after`, on its training batch.

    `after` maps the digests to the last step to skip, 0 for none.
    """
    with store.engine.connect() as connection:
        blocks = {
            digest: connection.execute(_SELECT_BLOCKS, {"run": digest, "after": step}).all()
            for digest, step in after.items()
        }
    with decoding():
        return {digest: _join_blocks(blocks[digest], step) for digest, step in after.items()}


def _join_blocks(blocks: Sequence[Row[Any]], after: int) -> Arrays:
    loss = np.frombuffer(b"".join(block.loss for block in blocks), STORED_DTYPE)
    accuracy = np.frombuffer(b"".join(block.accuracy for block in blocks), STORED_DTYPE)
    if len(loss) != len(accuracy):
        raise ValueError(f"{len(loss)} losses, {len(accuracy)} accuracies")
    first = blocks[0].first_step if blocks else 0
    skip = max(after - first, 0)  # the block may begin before `after`
    step = first + 1 + np.arange(len(loss))
    return {"step": step[skip:], "loss": loss[skip:], "accuracy": accuracy[skip:]}


def steps_frame(store: Store, digest: str, after: int = 0) -> pd.DataFrame:
    """Columns step (from 1), loss, accuracy: every step of one run beyond step `after`."""
    return pd.DataFrame(read_steps(store, {digest: after})[digest])


def evaluations_frame(store: Store, runs: Sequence[Run]) -> pd.DataFrame:
    """Columns run, step, epoch, seconds, val_loss, val_accuracy: each evaluation of each run, in order.

    STATISTICS_COLUMNS follow if any of the runs has them.
    """
    steps_per_epoch = {run.digest: run.spec.steps_per_epoch for run in runs}
    query = (
        select(evaluations)
        .where(evaluations.c.run.in_(steps_per_epoch))
        .order_by(evaluations.c.run, evaluations.c.step)
    )
    with store.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=[c.name for c in evaluations.columns])
    with decoding():
        frame.insert(2, "epoch", frame["step"] / frame["run"].map(steps_per_epoch))
        frame = frame.drop(columns=[name for name in STATISTICS_COLUMNS if frame[name].isna().all()])
        return frame.astype({name: int if name == "step" else float for name in frame.columns if name != "run"})


def read_evaluations(store: Store, runs: Sequence[Run], after: int = -1) -> dict[str, Arrays]:
    """Columns epoch and EVALUATION_COLUMNS of each run by digest: evaluations beyond step `after`.

    STATISTICS_COLUMNS are NaN in runs that are not evaluated so.
    """
    with store.engine.connect() as connection:
        rows = connection.execute(_SELECT_EVALUATIONS, {"runs": [run.digest for run in runs], "after": after}).all()
    by_run: dict[str, list[tuple[Any, ...]]] = {run.digest: [] for run in runs}
    for digest, *values in rows:
        by_run[digest].append(tuple(values))
    with decoding():
        return {run.digest: _evaluation_arrays(by_run[run.digest], run.spec.steps_per_epoch) for run in runs}


def _evaluation_arrays(rows: Sequence[tuple[Any, ...]], steps_per_epoch: int) -> Arrays:
    numbers = np.array(rows, float).reshape(-1, len(EVALUATION_COLUMNS))  # missing values (None) become NaN
    columns = dict(zip(EVALUATION_COLUMNS, numbers.T, strict=True))
    return columns | {"step": columns["step"].astype(int), "epoch": columns["step"] / steps_per_epoch}


def last_evaluated_steps(store: Store, digests: Sequence[str]) -> dict[str, int]:
    """The step of each run's last evaluation, -1 before the first."""
    query = (
        select(evaluations.c.run, func.max(evaluations.c.step))
        .where(evaluations.c.run.in_(digests))
        .group_by(evaluations.c.run)
    )
    with store.engine.connect() as connection:
        return dict.fromkeys(digests, -1) | {run: int(last) for run, last in connection.execute(query)}


def evaluated_steps(store: Store, digest: str) -> list[int]:
    """The steps of the run's evaluations, in order."""
    query = select(evaluations.c.step).where(evaluations.c.run == digest).order_by(evaluations.c.step)
    with store.engine.connect() as connection:
        return list(connection.execute(query).scalars())


def history_frame(store: Store, run: Run) -> pd.DataFrame:
    """Columns epoch (from 1), step, loss, accuracy, val_loss, val_accuracy: one row per finished epoch.

    Loss and accuracy are averaged over the epoch's examples in training mode, as Keras's `fit` reports them.
    """
    steps_per_epoch = run.spec.steps_per_epoch
    curve = steps_frame(store, run.digest)
    curve["epoch"] = (curve["step"] - 1) // steps_per_epoch + 1
    weight = batch_sizes(run.spec, 0, len(curve)).astype(float)
    weighted = curve[["loss", "accuracy"]].astype(float).mul(weight, axis=0).assign(weight=weight)
    sums = weighted.groupby(curve["epoch"]).sum()
    epochs = sums[["loss", "accuracy"]].div(sums["weight"], axis=0).reset_index()
    epochs.insert(1, "step", epochs["epoch"] * steps_per_epoch)
    validation = evaluations_frame(store, [run])[["step", "val_loss", "val_accuracy"]]
    return epochs.merge(validation, on="step")


def layers_frame(store: Store, digest: str) -> pd.DataFrame:
    """Columns step, layer, gradient_norm, weight_norm, p5 … p95 (of the pre-activations): the hidden layers."""
    query = select(layers).where(layers.c.run == digest).order_by(layers.c.step)
    with store.engine.connect() as connection:
        rows = connection.execute(query).all()
    numbers = ["gradient_norm", "weight_norm", *PERCENTILE_COLUMNS]
    with decoding():
        frame = pd.DataFrame(
            [
                (r.step, r.layer, r.gradient_norm, r.weight_norm, *np.frombuffer(r.percentiles, STORED_DTYPE).tolist())
                for r in rows
            ],
            columns=["step", "layer", *numbers],
        )
        return frame.astype({"step": int} | dict.fromkeys(numbers, float))


def snapshots_frame(store: Store, digest: str, layer: str) -> pd.DataFrame:
    """Columns step, variable, values (`[units]` float32 arrays): the variables of one normalization layer."""
    query = (
        select(snapshots.c.step, snapshots.c.variable, snapshots.c["values"])
        .where(snapshots.c.run == digest, snapshots.c.layer == layer)
        .order_by(snapshots.c.step, snapshots.c.variable)
    )
    with store.engine.connect() as connection:
        rows = connection.execute(query).all()
    with decoding():
        decoded = [(step, variable, np.frombuffer(values, STORED_DTYPE)) for step, variable, values in rows]
        if len({(variable, len(values)) for _, variable, values in decoded}) > len({row[1] for row in decoded}):
            raise ValueError("the layer has other numbers of units at other steps")
    return pd.DataFrame(decoded, columns=["step", "variable", "values"])
