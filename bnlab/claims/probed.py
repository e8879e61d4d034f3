"""The numbers that claims are decided by and that probes answer: what a worker is asked, and what is read off it."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd

from bnlab.claims.claim import Measure, Probed
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
"""What a network with BN normalizes by, as `bnlab.runs.perturbation` names it, in words."""
GRADIENT_STEPS = {0: "at initialization", 1: "after 1 step", 100: "after 100 steps"}
SHIFT_STEPS = (10, 100)
PROBED_STEPS = max(MOVED_STEP, *GRADIENT_STEPS, *SHIFT_STEPS)
"""For how many steps a network is trained that is only looked into."""
MOST_DECADES = 20.0
"""Norms as small or as large as this against another are beyond single precision, which squares them on the way."""


def ask_loss_changes(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """Columns of `bnlab.runs.perturbation.COLUMNS`: BN's quantities moved by a tenth after MOVED_STEP steps."""
    return measure_perturbation(spec, [MOVED_STEP], MOVED)


def ask_gradients(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """The X-ray at GRADIENT_STEPS; columns as `bnlab.runs.xray.xray_spec`'s."""
    return xray_spec(spec, list(GRADIENT_STEPS))


def ask_shifts(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """Internal covariate shift at SHIFT_STEPS; columns as `bnlab.runs.ics.measure_ics`'s."""
    return measure_ics(spec, SHIFT_STEPS)


def ask_prediction(store_url: str, spec: RunSpec) -> pd.DataFrame:
    """What predicting with the spec's ended run costs; see `prediction_frame`."""
    return prediction_frame(measure_prediction(store_url, spec.digest))


def ask_epoch(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """The seconds of an epoch's steps with BN and without; columns as `bnlab.runs.pace.measure_epoch`'s."""
    return measure_epoch(spec)


def prediction_frame(cost: PredictionCost) -> pd.DataFrame:
    """A row for each batch size: batch, seconds, folded (seconds with BN folded away) and difference (in logits)."""
    rows = [(batch, seconds, cost.folded[batch], cost.difference) for batch, seconds in cost.latencies.items()]
    return pd.DataFrame(rows, columns=["batch", "seconds", "folded", "difference"])


def loss_change(quantity: str, mode: Mode) -> Callable[[pd.DataFrame], float]:
    """How far the loss moves, up or down, with `quantity`; 0 in a network that has no such quantity."""

    def of(changes: pd.DataFrame) -> float:
        own = changes.loc[changes["quantity"] == quantity, mode].to_numpy(float)
        return float(np.abs(own).mean()) if own.size else 0.0

    return of


def decades_apart(step: int) -> Callable[[pd.DataFrame], float]:
    """How many powers of ten lie between the gradient norms of the first and the last hidden layer: |log10 ratio|.

    MOST_DECADES at the most, and where one of them is 0 or not a number, as after a divergence.
    """

    def of(layers: pd.DataFrame) -> float:
        norms = layers.loc[layers["step"] == step].sort_values("depth")["gradient_norm"].to_numpy(float)
        first, last = norms[0], norms[-1]
        if not (np.isfinite([first, last]).all() and first > 0 and last > 0):
            return MOST_DECADES
        return min(abs(math.log10(first) - math.log10(last)), MOST_DECADES)

    return of


def relative_shift(step: int) -> Callable[[pd.DataFrame], float]:
    """‖G − G′‖ / ‖G‖ in percent, the mean over all layers but the first, which has no layer before it.

    NaN where a layer has no gradient, or one that is not a number.
    """

    def of(layers: pd.DataFrame) -> float:
        own = _beyond_the_first(layers, step)
        return 100 * float((own["difference"] / own["gradient_norm"]).to_numpy(float).mean())

    return of


def turn(step: int) -> Callable[[pd.DataFrame], float]:
    """1 − the cosine between G and G′: 0 where the gradient keeps its direction; over layers as `relative_shift`."""

    def of(layers: pd.DataFrame) -> float:
        return float((1 - _beyond_the_first(layers, step)["cosine"]).to_numpy(float).mean())

    return of


def _beyond_the_first(layers: pd.DataFrame, step: int) -> pd.DataFrame:
    return layers.loc[(layers["step"] == step) & (layers["depth"] > 1)]


def _loss_measure(quantity: str, mode: Mode) -> Measure:
    name = f"how far the loss moves with {QUANTITIES[quantity]}, {mode} mode"
    return Measure(name, "loss", Probed(ask_loss_changes, loss_change(quantity, mode)))


def _milliseconds(batch: int) -> tuple[Measure, Measure, Measure]:
    """What BN adds, which is measured in turns; and the whole, as trained and with BN folded away."""

    def added(cost: pd.DataFrame) -> float:
        return trained(cost) - folded(cost)

    def trained(cost: pd.DataFrame) -> float:
        return milliseconds(cost, "seconds")

    def folded(cost: pd.DataFrame) -> float:
        return milliseconds(cost, "folded")

    def milliseconds(cost: pd.DataFrame, column: str) -> float:
        return 1_000 * float(cost.loc[cost["batch"] == batch, column].iloc[0])

    name = "to predict one image" if batch == 1 else f"to predict {batch} images"
    numbers = {f"time BN adds {name}": added, f"time {name}": trained, f"time {name}, BN folded away": folded}
    measures = (Measure(title, "ms", Probed(ask_prediction, of, after_training=True)) for title, of in numbers.items())
    addition, as_trained, without = measures
    return addition, as_trained, without


_MODES: tuple[Mode, ...] = ("training", "inference")
LOSS_CHANGES = {(quantity, mode): _loss_measure(quantity, mode) for quantity in QUANTITIES for mode in _MODES}
DECADES_APART = {
    step: Measure(
        f"distance of the first hidden layer's gradient norm from the last one's, {when}",
        "decades",
        Probed(ask_gradients, decades_apart(step)),
    )
    for step, when in GRADIENT_STEPS.items()
}
SHIFTS = {
    step: Measure(f"shift of the gradient after {step} steps", "%", Probed(ask_shifts, relative_shift(step)))
    for step in SHIFT_STEPS
}
TURNS = {
    step: Measure(f"turn of the gradient after {step} steps", "1 − cosine", Probed(ask_shifts, turn(step)))
    for step in SHIFT_STEPS
}
ADDED_MILLISECONDS_1, MILLISECONDS_1, FOLDED_MILLISECONDS_1 = _milliseconds(1)
ADDED_MILLISECONDS_256, MILLISECONDS_256, FOLDED_MILLISECONDS_256 = _milliseconds(256)
ADDED_SECONDS_PER_EPOCH = Measure(
    "training seconds BN adds to an epoch",
    "s",
    Probed(ask_epoch, lambda epoch: float((epoch["seconds"] - epoch["without"]).iloc[0])),
)
LOGIT_CHANGE = Measure(
    "largest change of a logit by folding BN away",
    "logits",
    Probed(ask_prediction, lambda cost: float(cost["difference"].max()), after_training=True),
)
