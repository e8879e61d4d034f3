"""The measures that claims are decided by: counted from a spec, read off runs, or taken by a worker."""

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Literal

import numpy as np
import pandas as pd

from bnlab.claims.model import Measure, RunMeasure, SpecMeasure, WorkerMeasure
from bnlab.runs.diagnostics import measure_epoch, measure_ics, measure_perturbation, xray_spec
from bnlab.runs.folding import PredictionCost, measure_prediction
from bnlab.runs.measurements import Measurement
from bnlab.runs.reader import Arrays
from bnlab.runs.run import Run, RunState
from bnlab.runs.summary import seconds_of, seconds_per_epoch, steps_to
from bnlab.specs.network import Layer, describe_network
from bnlab.specs.run_spec import RunSpec


def final_accuracy(run: Run, moments: Arrays) -> float:
    """val_accuracy at the end, in percent; a run that diverged has that of a guess, whatever it reached before."""
    if run.state is RunState.DIVERGED:
        return 100 / run.spec.data.classes
    return 100 * float(moments["val_accuracy"][-1])


def steps_to_or_all(accuracy: float) -> Callable[[Run, Arrays], float]:
    """The steps to an accuracy, or all planned steps of a run that never reached it.

    Such a run needs at least that many, so a difference to it is understated.
    """

    def value(run: Run, moments: Arrays) -> float:
        steps = steps_to(run, moments, accuracy)
        return float(run.spec.total_steps) if math.isnan(steps) else steps

    return value


def seconds_to_or_all(accuracy: float) -> Callable[[Run, Arrays], float]:
    """The seconds that the steps of `steps_to_or_all` take."""
    steps = steps_to_or_all(accuracy)

    def value(run: Run, moments: Arrays) -> float:
        return seconds_of(run, moments, steps(run, moments))

    return value


def count_trainable_per_unit(spec: RunSpec) -> float:
    """Trainable parameters of the BN layers for each unit they normalize; 0 without BN."""
    return _per_unit(spec, lambda layer: layer.trainable)


def count_non_trainable_per_unit(spec: RunSpec) -> float:
    """Non-trainable parameters of the BN layers for each unit they normalize; 0 without BN."""
    return _per_unit(spec, lambda layer: layer.non_trainable)


def count_operations(spec: RunSpec) -> float:
    """Multiplications and additions that predicting one image takes, activations left out.

    A Dense layer multiplies and adds once per weight and adds its bias; a convolution does so at every position. A BN
    layer multiplies and adds once per unit, with gamma / √(moving_variance + epsilon) and the shift precomputed.
    """
    return float(sum(_operations(layer) for layer in describe_network(spec).layers))


def spread(values: Sequence[float]) -> float:
    """The highest minus the lowest."""
    return max(values) - min(values)


def mean_gain(values: Sequence[float]) -> float:
    """The mean of second minus first, fourth minus third, and so on: what BN adds in each pair."""
    return fmean(after - before for before, after in zip(values[::2], values[1::2], strict=True))


def _per_unit(spec: RunSpec, count: Callable[[Layer], int]) -> float:
    layers = describe_network(spec).normalizations
    units = sum(layer.output_shape[-1] for layer in layers)
    return sum(count(layer) for layer in layers) / units if units else 0.0


def _operations(layer: Layer) -> int:
    if layer.normalizer is not None:
        return layer.normalizer.operations * math.prod(layer.output_shape)
    has_bias = any(variable.name == "bias" for variable in layer.variables)
    return 2 * layer.products + has_bias * math.prod(layer.output_shape)


ACCURACY = Measure("final_accuracy", "final validation accuracy", "%", RunMeasure(final_accuracy))


SPREAD = Measure(
    "accuracy_spread", "spread of final validation accuracy, best minus worst", "points", ACCURACY.source, spread
)


LOWEST = Measure("lowest_accuracy", "lowest final validation accuracy", "%", ACCURACY.source, min)


GAIN = Measure("accuracy_gain", "final validation accuracy that BN adds", "points", ACCURACY.source, mean_gain)


STEPS_TO_95 = Measure("steps_to_95", "steps to 95 % accuracy", "steps", RunMeasure(steps_to_or_all(0.95)))


STEPS_TO_97 = Measure("steps_to_97", "steps to 97 % accuracy", "steps", RunMeasure(steps_to_or_all(0.97)))


SECONDS_TO_95 = Measure("seconds_to_95", "training seconds to 95 % accuracy", "s", RunMeasure(seconds_to_or_all(0.95)))


SECONDS_TO_97 = Measure("seconds_to_97", "training seconds to 97 % accuracy", "s", RunMeasure(seconds_to_or_all(0.97)))


SECONDS_PER_EPOCH = Measure("seconds_per_epoch", "training seconds an epoch", "s", RunMeasure(seconds_per_epoch))


TRAINABLE_PER_UNIT = Measure(
    "trainable_per_unit", "BN's trainable parameters a unit", "parameters", SpecMeasure(count_trainable_per_unit)
)


NON_TRAINABLE_PER_UNIT = Measure(
    "non_trainable_per_unit", "BN's non-trainable parameters a unit", "parameters", SpecMeasure(count_non_trainable_per_unit)
)


TRAINABLE = Measure(
    "trainable", "trainable parameters", "parameters", SpecMeasure(lambda spec: describe_network(spec).trainable)
)


PARAMETERS = Measure("parameters", "parameters", "parameters", SpecMeasure(lambda spec: describe_network(spec).params))


LAYERS = Measure("layers", "layers", "layers", SpecMeasure(lambda spec: len(describe_network(spec).layers)))


OPERATIONS = Measure("operations", "operations to predict one image", "operations", SpecMeasure(count_operations))


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
"""What a network with BN normalizes by, with titles, by the name that `bnlab.runs.diagnostics` uses."""


GRADIENT_STEPS = {0: "at initialization", 1: "after 1 step", 100: "after 100 steps"}


SHIFT_STEPS = (10, 100)


MAX_STEPS = max(MOVED_STEP, *GRADIENT_STEPS, *SHIFT_STEPS)
"""For how many steps a measurement trains a network at most."""


MAX_DECADES = 20.0
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
    """Columns of `SENSITIVITY_COLUMNS`: BN's quantities moved by a tenth after MOVED_STEP steps."""
    return measure_perturbation(spec, [MOVED_STEP], MOVED)


def measure_gradients(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """The depth profile at GRADIENT_STEPS; columns as those of `bnlab.runs.diagnostics.xray_spec`."""
    return xray_spec(spec, list(GRADIENT_STEPS))


def measure_shifts(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """Internal covariate shift at SHIFT_STEPS; columns as those of `bnlab.runs.diagnostics.measure_ics`."""
    return measure_ics(spec, SHIFT_STEPS)


def measure_prediction_cost(store_url: str, spec: RunSpec) -> pd.DataFrame:
    """What predicting with the spec's completed run costs; see `prediction_frame`."""
    return prediction_frame(measure_prediction(store_url, spec.digest))


def measure_epoch_seconds(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """The seconds of an epoch's steps with BN and without; columns as those of `measure_epoch`."""
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
            return MAX_DECADES
        return min(abs(math.log10(first) - math.log10(last)), MAX_DECADES)

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
