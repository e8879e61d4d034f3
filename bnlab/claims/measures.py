"""Measures that follow from specs and runs; those that workers take are in `bnlab.claims.probed`."""

import math
from collections.abc import Callable, Sequence
from statistics import fmean

from bnlab.claims.claim import Measure, RunMeasure, SpecMeasure
from bnlab.runs.frames import Arrays
from bnlab.runs.results import seconds_of, seconds_per_epoch, steps_to
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.spec.network import Layer, describe_network
from bnlab.spec.run_spec import RunSpec


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


def trainable_per_unit(spec: RunSpec) -> float:
    """Trainable parameters of the BN layers for each unit they normalize; 0 without BN."""
    return _per_unit(spec, lambda layer: layer.trainable)


def non_trainable_per_unit(spec: RunSpec) -> float:
    """Non-trainable parameters of the BN layers for each unit they normalize; 0 without BN."""
    return _per_unit(spec, lambda layer: layer.non_trainable)


def operations(spec: RunSpec) -> float:
    """Multiplications and additions that predicting one image takes, activations left out.

    A Dense layer multiplies and adds once per weight and adds its bias; a convolution does so at every position. A BN
    layer multiplies and adds once per unit, with gamma / √(moving_variance + epsilon) and the shift precomputed.
    """
    return float(sum(_operations(layer) for layer in describe_network(spec).layers))


def spread(values: Sequence[float]) -> float:
    """The highest minus the lowest."""
    return max(values) - min(values)


def gain(values: Sequence[float]) -> float:
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
GAIN = Measure("accuracy_gain", "final validation accuracy that BN adds", "points", ACCURACY.source, gain)
STEPS_TO_95 = Measure("steps_to_95", "steps to 95 % accuracy", "steps", RunMeasure(steps_to_or_all(0.95)))
STEPS_TO_97 = Measure("steps_to_97", "steps to 97 % accuracy", "steps", RunMeasure(steps_to_or_all(0.97)))
SECONDS_TO_95 = Measure("seconds_to_95", "training seconds to 95 % accuracy", "s", RunMeasure(seconds_to_or_all(0.95)))
SECONDS_TO_97 = Measure("seconds_to_97", "training seconds to 97 % accuracy", "s", RunMeasure(seconds_to_or_all(0.97)))
SECONDS_PER_EPOCH = Measure("seconds_per_epoch", "training seconds an epoch", "s", RunMeasure(seconds_per_epoch))
TRAINABLE_PER_UNIT = Measure(
    "trainable_per_unit", "BN's trainable parameters a unit", "parameters", SpecMeasure(trainable_per_unit)
)
NON_TRAINABLE_PER_UNIT = Measure(
    "non_trainable_per_unit", "BN's non-trainable parameters a unit", "parameters", SpecMeasure(non_trainable_per_unit)
)
TRAINABLE = Measure(
    "trainable", "trainable parameters", "parameters", SpecMeasure(lambda spec: describe_network(spec).trainable)
)
PARAMETERS = Measure("parameters", "parameters", "parameters", SpecMeasure(lambda spec: describe_network(spec).params))
LAYERS = Measure("layers", "layers", "layers", SpecMeasure(lambda spec: len(describe_network(spec).layers)))
OPERATIONS = Measure("operations", "operations to predict one image", "operations", SpecMeasure(operations))
