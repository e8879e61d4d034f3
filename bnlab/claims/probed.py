"""Measures that need a worker: the measurements it takes, and the numbers that are read from them."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd

from bnlab.claims.claim import Measure, WorkerMeasure
from bnlab.runs.answers import Measurement
from bnlab.runs.ics import measure_ics
from bnlab.runs.pace import measure_epoch
from bnlab.runs.perturbation import measure_perturbation
from bnlab.runs.prediction import PredictionCost, measure_prediction
from bnlab.runs.xray import xray_spec
from bnlab.spec.run_spec import RunSpec

Mode = Literal["training", "inference"]

MOVED = 0.1
MOVED_STEP = 100
QUANTITIES = {
    "gamma": "gamma",
    "beta": "beta",
    "batch_mean": "the batch's mean",
    "batch_variance": "the batch's variance",
    "moving_mean": "the moving mean",
    "moving_variance": "the moving variance",
}
"""What a network with BN normalizes by, with titles, by the name that `bnlab.runs.perturbation` uses."""
GRADIENT_STEPS = {0: "at initialization", 1: "after 1 step", 100: "after 100 steps"}
SHIFT_STEPS = (10, 100)
MOST_STEPS = max(MOVED_STEP, *GRADIENT_STEPS, *SHIFT_STEPS)
"""For how many steps a measurement trains a network at most."""
MOST_DECADES = 20.0
"""Norms as small or as large as this against another are beyond single precision, in which they are squared."""


def loss_changes(spec: RunSpec) -> Measurement:
    """How the loss changes with each of BN's quantities after MOVED_STEP steps."""
    return Measurement("loss_changes", measure_loss_changes, spec)


def gradients(spec: RunSpec) -> Measurement:
    """Gradient norms by layer at GRADIENT_STEPS."""
    return Measurement("gradients", measure_gradients, spec)


def shifts(spec: RunSpec) -> Measurement:
    """Internal covariate shift by layer at SHIFT_STEPS."""
    return Measurement("shifts", measure_shifts, spec)


def prediction(spec: RunSpec) -> Measurement:
    """What predicting with the spec's completed run costs."""
    return Measurement("prediction", measure_prediction_cost, spec)


def epoch_seconds(spec: RunSpec) -> Measurement:
    """What an epoch's steps cost with BN and without."""
    return Measurement("epoch_seconds", measure_epoch_seconds, spec)


def measure_loss_changes(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """Columns of `bnlab.runs.perturbation.COLUMNS`: BN's quantities moved by a tenth after MOVED_STEP steps."""
    return measure_perturbation(spec, [MOVED_STEP], MOVED)


def measure_gradients(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """The depth profile at GRADIENT_STEPS; columns as those of `bnlab.runs.xray.xray_spec`."""
    return xray_spec(spec, list(GRADIENT_STEPS))


def measure_shifts(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """Internal covariate shift at SHIFT_STEPS; columns as those of `bnlab.runs.ics.measure_ics`."""
    return measure_ics(spec, SHIFT_STEPS)


def measure_prediction_cost(store_url: str, spec: RunSpec) -> pd.DataFrame:
    """What predicting with the spec's completed run costs; see `prediction_frame`."""
    return prediction_frame(measure_prediction(store_url, spec.digest))


def measure_epoch_seconds(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """The seconds of an epoch's steps with BN and without; columns as those of `bnlab.runs.pace.measure_epoch`."""
    return measure_epoch(spec)


def prediction_frame(cost: PredictionCost) -> pd.DataFrame:
    """A row for each batch size: batch, seconds, folded (seconds with BN folded away) and difference (in logits)."""
    rows = [(batch, seconds, cost.folded[batch], cost.difference) for batch, seconds in cost.latencies.items()]
    return pd.DataFrame(rows, columns=["batch", "seconds", "folded", "difference"])


def loss_change(quantity: str, mode: Mode) -> Callable[[pd.DataFrame], float]:
    """How far the loss moves, up or down, with `quantity`; 0 in a network without it."""

    def value(changes: pd.DataFrame) -> float:
        values = changes.loc[changes["quantity"] == quantity, mode].to_numpy(float)
        return float(np.abs(values).mean()) if values.size else 0.0

    return value


def decades_apart(step: int) -> Callable[[pd.DataFrame], float]:
    """How many powers of ten lie between the gradient norms of the first and the last hidden layer: |log10 ratio|.

    MOST_DECADES at the most, and where one of them is 0 or not a number, as after a divergence.
    """

    def value(layers: pd.DataFrame) -> float:
        norms = layers.loc[layers["step"] == step].sort_values("depth")["gradient_norm"].to_numpy(float)
        first, last = norms[0], norms[-1]
        if not (np.isfinite([first, last]).all() and first > 0 and last > 0):
            return MOST_DECADES
        return min(abs(math.log10(first) - math.log10(last)), MOST_DECADES)

    return value


def relative_shift(step: int) -> Callable[[pd.DataFrame], float]:
    """‖G − G′‖ / ‖G‖ in percent, the mean over all layers but the first, which has no layer before it.

    NaN where a layer has no gradient, or one that is not a number.
    """

    def value(layers: pd.DataFrame) -> float:
        rows = _without_first_layer(layers, step)
        return 100 * float((rows["difference"] / rows["gradient_norm"]).to_numpy(float).mean())

    return value


def gradient_turn(step: int) -> Callable[[pd.DataFrame], float]:
    """1 − the cosine between G and G′: 0 where the gradient keeps its direction; over layers as `relative_shift`."""

    def value(layers: pd.DataFrame) -> float:
        return float((1 - _without_first_layer(layers, step)["cosine"]).to_numpy(float).mean())

    return value


def _without_first_layer(layers: pd.DataFrame, step: int) -> pd.DataFrame:
    return layers.loc[(layers["step"] == step) & (layers["depth"] > 1)]


def _loss_measure(quantity: str, mode: Mode) -> Measure:
    title = f"how far the loss moves with {QUANTITIES[quantity]}, {mode} mode"
    source = WorkerMeasure(loss_changes, loss_change(quantity, mode))
    return Measure(f"loss_change_{quantity}_{mode}", title, "loss", source)


def _milliseconds(batch: int) -> tuple[Measure, Measure, Measure]:
    """The time that BN adds, and the whole time: as trained, and with BN folded away. All are measured in turns."""

    def trained(cost: pd.DataFrame) -> float:
        return milliseconds(cost, "seconds")

    def folded(cost: pd.DataFrame) -> float:
        return milliseconds(cost, "folded")

    def added(cost: pd.DataFrame) -> float:
        return trained(cost) - folded(cost)

    def milliseconds(cost: pd.DataFrame, column: str) -> float:
        return 1_000 * float(cost.loc[cost["batch"] == batch, column].iloc[0])

    def measure(name: str, title: str, value: Callable[[pd.DataFrame], float]) -> Measure:
        source = WorkerMeasure(prediction, value, after_training=True)
        return Measure(f"{name}_{batch}", title, "ms", source)

    task = "to predict one image" if batch == 1 else f"to predict {batch} images"
    return (
        measure("added_milliseconds", f"time BN adds {task}", added),
        measure("milliseconds", f"time {task}", trained),
        measure("folded_milliseconds", f"time {task}, BN folded away", folded),
    )


_MODES: tuple[Mode, ...] = ("training", "inference")
LOSS_CHANGES = {(quantity, mode): _loss_measure(quantity, mode) for quantity in QUANTITIES for mode in _MODES}
DECADES_APART = {
    step: Measure(
        f"gradient_decades_{step}",
        f"distance of the first hidden layer's gradient norm from the last one's, {when}",
        "decades",
        WorkerMeasure(gradients, decades_apart(step)),
    )
    for step, when in GRADIENT_STEPS.items()
}
SHIFTS = {
    step: Measure(
        f"gradient_shift_{step}",
        f"shift of the gradient after {step} steps",
        "%",
        WorkerMeasure(shifts, relative_shift(step)),
    )
    for step in SHIFT_STEPS
}
TURNS = {
    step: Measure(
        f"gradient_turn_{step}",
        f"turn of the gradient after {step} steps",
        "1 − cosine",
        WorkerMeasure(shifts, gradient_turn(step)),
    )
    for step in SHIFT_STEPS
}
ADDED_MILLISECONDS_1, MILLISECONDS_1, FOLDED_MILLISECONDS_1 = _milliseconds(1)
ADDED_MILLISECONDS_256, MILLISECONDS_256, FOLDED_MILLISECONDS_256 = _milliseconds(256)
ADDED_SECONDS_PER_EPOCH = Measure(
    "added_seconds_per_epoch",
    "training seconds BN adds to an epoch",
    "s",
    WorkerMeasure(epoch_seconds, lambda epoch: float((epoch["seconds"] - epoch["without"]).iloc[0])),
)
LOGIT_CHANGE = Measure(
    "logit_change",
    "largest change of a logit by folding BN away",
    "logits",
    WorkerMeasure(prediction, lambda cost: float(cost["difference"].max()), after_training=True),
)
