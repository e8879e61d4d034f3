"""Measures that workers take: the measurements, and the numbers read from their tables."""

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from bnlab.claims.model import Measure, WorkerMeasure
from bnlab.runs.diagnostics import (
    measure_covariate_shift,
    measure_epoch_time,
    measure_layer_statistics,
    measure_perturbation,
)
from bnlab.runs.folding import PredictionCost, measure_prediction
from bnlab.runs.measurements import Measurement
from bnlab.specs.run_spec import RunSpec

Mode = Literal["training", "inference"]
Value = Callable[[pd.DataFrame], float]

QUANTITIES = {
    "gamma": "gamma",
    "beta": "beta",
    "batch_mean": "the batch's mean",
    "batch_variance": "the batch's variance",
    "moving_mean": "the moving mean",
    "moving_variance": "the moving variance",
}
"""The quantities by which a BN layer normalizes: titles by the name in `bnlab.runs.diagnostics`."""
MODES: tuple[Mode, ...] = ("training", "inference")

PERTURBATION = 0.1
PERTURBATION_STEP = 100
GRADIENT_STEPS = {0: "at initialization", 1: "after 1 step", 100: "after 100 steps"}
SHIFT_STEPS = (10, 100)
MAX_STEPS = max(PERTURBATION_STEP, *GRADIENT_STEPS, *SHIFT_STEPS)
"""The number of steps for which a measurement trains a network, at most."""

MAX_DECADES = 20.0
"""Single precision, in which norms are squared, cannot represent larger ratios between two of them."""


# Measurements: functions that workers call


def measure_loss_changes(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """How the loss changes with each quantity of BN after PERTURBATION_STEP steps.

    Returns:
        A table with the columns SENSITIVITY_COLUMNS of `bnlab.runs.diagnostics`.
    """
    return measure_perturbation(spec, [PERTURBATION_STEP], PERTURBATION)


def measure_gradients(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """The depth profile at GRADIENT_STEPS; see `bnlab.runs.diagnostics.measure_layer_statistics`."""
    return measure_layer_statistics(spec, list(GRADIENT_STEPS))


def measure_shifts(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """Internal covariate shift by layer at SHIFT_STEPS; see `bnlab.runs.diagnostics.measure_covariate_shift`."""
    return measure_covariate_shift(spec, SHIFT_STEPS)


def measure_prediction_cost(store_url: str, spec: RunSpec) -> pd.DataFrame:
    """The cost of predicting with the completed run of `spec`; see `prediction_frame`."""
    return prediction_frame(measure_prediction(store_url, spec.digest))


def measure_epoch_seconds(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """The seconds of an epoch's steps with and without BN; see `bnlab.runs.diagnostics.measure_epoch_time`."""
    return measure_epoch_time(spec)


def prediction_frame(cost: PredictionCost) -> pd.DataFrame:
    """One row per batch size.

    Columns: batch, seconds, folded (seconds with BN folded into the neighboring layers), difference (in logits).
    """
    rows = [(batch, seconds, cost.folded[batch], cost.difference) for batch, seconds in cost.latencies.items()]
    return pd.DataFrame(rows, columns=["batch", "seconds", "folded", "difference"])


loss_changes = partial(Measurement, "loss_changes", measure_loss_changes)
gradients = partial(Measurement, "gradients", measure_gradients)
shifts = partial(Measurement, "shifts", measure_shifts)
prediction_cost = partial(Measurement, "prediction", measure_prediction_cost)
epoch_seconds = partial(Measurement, "epoch_seconds", measure_epoch_seconds)


# Numbers read from the tables


def mean_loss_change(quantity: str, mode: Mode) -> Value:
    """The mean absolute change of the loss with `quantity`; 0 in a network without it."""

    def value(changes: pd.DataFrame) -> float:
        values = changes.loc[changes["quantity"] == quantity, mode].to_numpy(float)
        return float(np.abs(values).mean()) if values.size else 0.0

    return value


def gradient_decades(step: int) -> Value:
    """|log10| of the ratio between the gradient norms of the first and the last hidden layer, at most MAX_DECADES.

    MAX_DECADES, too, where one of the norms is zero or not finite, as after a divergence.
    """

    def value(layers: pd.DataFrame) -> float:
        norms = layers.loc[layers["step"] == step].sort_values("depth")["gradient_norm"].to_numpy(float)
        first, last = norms[0], norms[-1]
        if not (np.isfinite([first, last]).all() and first > 0 and last > 0):
            return MAX_DECADES
        return min(abs(math.log10(first) - math.log10(last)), MAX_DECADES)

    return value


def largest_gradient(step: int) -> Value:
    """log10 of the largest gradient norm of a hidden layer, within ±MAX_DECADES; MAX_DECADES if one is not finite."""

    def value(layers: pd.DataFrame) -> float:
        largest = layers.loc[layers["step"] == step, "gradient_norm"].to_numpy(float).max()
        if not np.isfinite(largest):
            return MAX_DECADES
        return min(math.log10(max(largest, 10**-MAX_DECADES)), MAX_DECADES)

    return value


def gradient_shift(step: int) -> Value:
    """‖G − G′‖ / ‖G‖ in percent, the mean over all layers after the first, which has no preceding layer.

    NaN where the gradient of a layer is zero or not finite.
    """

    def value(layers: pd.DataFrame) -> float:
        rows = _without_first_layer(layers, step)
        return 100 * float((rows["difference"] / rows["gradient_norm"]).to_numpy(float).mean())

    return value


def gradient_turn(step: int) -> Value:
    """1 − the cosine between G and G′, 0 for an unchanged direction; over the same layers as `gradient_shift`."""

    def value(layers: pd.DataFrame) -> float:
        return float((1 - _without_first_layer(layers, step)["cosine"]).to_numpy(float).mean())

    return value


def _without_first_layer(layers: pd.DataFrame, step: int) -> pd.DataFrame:
    return layers.loc[(layers["step"] == step) & (layers["depth"] > 1)]


# Measures


def _loss_change_measure(quantity: str, mode: Mode) -> Measure:
    title = f"change in loss, with {QUANTITIES[quantity]} in {mode} mode"
    source = WorkerMeasure(loss_changes, mean_loss_change(quantity, mode))
    return Measure(f"loss_change_{quantity}_{mode}", title, "", source, better="neither")


LOSS_CHANGES = {(quantity, mode): _loss_change_measure(quantity, mode) for quantity in QUANTITIES for mode in MODES}

DECADES_APART = {
    step: Measure(
        f"gradient_decades_{step}",
        f"gap between the gradient norms of the first and last hidden layer, {when}",
        "orders of magnitude",
        WorkerMeasure(gradients, gradient_decades(step)),
    )
    for step, when in GRADIENT_STEPS.items()
}

LARGEST_GRADIENT = Measure(
    "largest_gradient_0",
    f"largest gradient norm of a hidden layer, {GRADIENT_STEPS[0]}",
    "orders of magnitude",
    WorkerMeasure(gradients, largest_gradient(0)),
)

SHIFTS = {
    step: Measure(
        f"gradient_shift_{step}",
        f"covariate shift of the gradient, after {step} steps",
        "%",
        WorkerMeasure(shifts, gradient_shift(step)),
    )
    for step in SHIFT_STEPS
}

TURNS = {
    step: Measure(
        f"gradient_turn_{step}",
        f"change in gradient direction, after {step} steps",
        "1 − cosine",
        WorkerMeasure(shifts, gradient_turn(step)),
    )
    for step in SHIFT_STEPS
}


def _prediction_measure(identifier: str, title: str, unit: str, value: Value) -> Measure:
    return Measure(identifier, title, unit, WorkerMeasure(prediction_cost, value, after_training=True))


def _latency_measures(batch: int) -> tuple[Measure, Measure, Measure]:
    """The time that BN adds, the time of the network as trained, and its time with BN merged, in ms."""

    def milliseconds(cost: pd.DataFrame, column: str) -> float:
        return 1_000 * float(cost.loc[cost["batch"] == batch, column].iloc[0])

    def added(cost: pd.DataFrame) -> float:
        return milliseconds(cost, "seconds") - milliseconds(cost, "folded")

    task = "to predict one image" if batch == 1 else f"to predict {batch} images"
    return (
        _prediction_measure(f"added_milliseconds_{batch}", f"time BN adds {task}", "ms", added),
        _prediction_measure(f"milliseconds_{batch}", f"time {task}", "ms", partial(milliseconds, column="seconds")),
        _prediction_measure(
            f"folded_milliseconds_{batch}",
            f"time {task}, BN merged",
            "ms",
            partial(milliseconds, column="folded"),
        ),
    )


ADDED_MILLISECONDS_1, MILLISECONDS_1, FOLDED_MILLISECONDS_1 = _latency_measures(1)
ADDED_MILLISECONDS_256, MILLISECONDS_256, FOLDED_MILLISECONDS_256 = _latency_measures(256)
LOGIT_CHANGE = _prediction_measure(
    "logit_change",
    "largest change of a logit by merging BN",
    "logits",
    lambda cost: float(cost["difference"].max()),
)
ADDED_SECONDS_PER_EPOCH = Measure(
    "added_seconds_per_epoch",
    "training seconds BN adds to an epoch",
    "s",
    WorkerMeasure(epoch_seconds, lambda epoch: float((epoch["seconds"] - epoch["without"]).iloc[0])),
)
