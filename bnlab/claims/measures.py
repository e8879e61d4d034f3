"""Measures computed from a spec or from a finished run; `worker_measures` has those that take a worker."""

import math
from collections.abc import Callable, Sequence
from statistics import fmean

from bnlab.claims.model import Measure, RunMeasure, SpecMeasure
from bnlab.runs.reader import Arrays
from bnlab.runs.run import Run, RunState
from bnlab.runs.summary import seconds_of, seconds_per_epoch, steps_to
from bnlab.specs.network import Layer, describe_network
from bnlab.specs.run_spec import RunSpec

# Values of a spec


def count_trainable_per_unit(spec: RunSpec) -> float:
    """Trainable parameters of the BN layers per normalized unit; 0 without BN."""
    return _count_per_unit(spec, lambda layer: layer.trainable)


def count_non_trainable_per_unit(spec: RunSpec) -> float:
    """Non-trainable parameters of the BN layers per normalized unit; 0 without BN."""
    return _count_per_unit(spec, lambda layer: layer.non_trainable)


def _count_per_unit(spec: RunSpec, count: Callable[[Layer], int]) -> float:
    layers = describe_network(spec).normalizations
    units = sum(layer.output_shape[-1] for layer in layers)
    return sum(count(layer) for layer in layers) / units if units else 0.0


def count_operations(spec: RunSpec) -> float:
    """Multiplications and additions needed to predict one image, without those of the activations.

    A Dense layer multiplies and adds once per weight and adds its bias; a convolution does so at every position. A BN
    layer multiplies and adds once per unit, with gamma / √(moving_variance + epsilon) and the shift precomputed.
    """
    return float(sum(_count_layer_operations(layer) for layer in describe_network(spec).layers))


def _count_layer_operations(layer: Layer) -> int:
    if layer.normalizer is not None:
        return layer.normalizer.operations * math.prod(layer.output_shape)
    has_bias = any(variable.name == "bias" for variable in layer.variables)
    return 2 * layer.multiplications + has_bias * math.prod(layer.output_shape)


# Values of a run


def final_accuracy(run: Run, evaluations: Arrays) -> float:
    """Final val_accuracy in percent; chance level for a diverged run, whatever it reached before."""
    if run.state is RunState.DIVERGED:
        return 100 / run.spec.data.classes
    return 100 * float(evaluations["val_accuracy"][-1])


def steps_to_or_all(accuracy: float) -> Callable[[Run, Arrays], float]:
    """The steps to an accuracy, or all planned steps of a run that never reached it.

    Such a run needs at least that many, so a difference to it is understated.
    """

    def value(run: Run, evaluations: Arrays) -> float:
        steps = steps_to(evaluations, accuracy)
        return float(run.spec.total_steps) if math.isnan(steps) else steps

    return value


def seconds_to_or_all(accuracy: float) -> Callable[[Run, Arrays], float]:
    """The training seconds of the steps counted by `steps_to_or_all`."""
    steps = steps_to_or_all(accuracy)

    def value(run: Run, evaluations: Arrays) -> float:
        return seconds_of(run, evaluations, steps(run, evaluations))

    return value


# Aggregates over the specs of an arm


def spread(values: Sequence[float]) -> float:
    """The highest minus the lowest."""
    return max(values) - min(values)


def mean_gain(values: Sequence[float]) -> float:
    """The mean of second minus first, fourth minus third and so on: the gain from BN over pairs without and with it."""
    return fmean(after - before for before, after in zip(values[::2], values[1::2], strict=True))


LEARNING_RATES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""The grid of `largest_rate`."""
TRAINED = 80.0
"""The accuracy in percent from which on a network counts as trained: far above chance and what a bad rate leaves."""


def largest_rate(accuracies: Sequence[float]) -> float:
    """The largest of LEARNING_RATES that ends at TRAINED or more, 0 if none does; one accuracy for each of them."""
    pairs = zip(LEARNING_RATES, accuracies, strict=True)
    return max((rate for rate, accuracy in pairs if accuracy >= TRAINED), default=0.0)


# Measures

TRAINABLE_PER_UNIT = Measure(
    "trainable_per_unit", "BN's trainable parameters per unit", "parameters", SpecMeasure(count_trainable_per_unit)
)
NON_TRAINABLE_PER_UNIT = Measure(
    "non_trainable_per_unit",
    "BN's non-trainable parameters per unit",
    "parameters",
    SpecMeasure(count_non_trainable_per_unit),
)
TRAINABLE = Measure(
    "trainable", "trainable parameters", "parameters", SpecMeasure(lambda spec: describe_network(spec).trainable)
)
PARAMETERS = Measure("parameters", "parameters", "parameters", SpecMeasure(lambda spec: describe_network(spec).params))
LAYERS = Measure("layers", "layers", "layers", SpecMeasure(lambda spec: len(describe_network(spec).layers)))
OPERATIONS = Measure("operations", "operations to predict one image", "operations", SpecMeasure(count_operations))

ACCURACY = Measure("final_accuracy", "final validation accuracy", "%", RunMeasure(final_accuracy), better="higher")
SPREAD = Measure(
    "accuracy_spread", "spread of final validation accuracy, best minus worst", "points", ACCURACY.source, spread
)
LOWEST = Measure("lowest_accuracy", "lowest final validation accuracy", "%", ACCURACY.source, min, better="higher")
GAIN = Measure(
    "accuracy_gain", "final validation accuracy that BN adds", "points", ACCURACY.source, mean_gain, better="higher"
)
LARGEST_RATE = Measure(
    "largest_rate", "largest learning rate that trains", "", ACCURACY.source, largest_rate, better="higher"
)
STEPS_TO_95 = Measure("steps_to_95", "steps to 95 % accuracy", "steps", RunMeasure(steps_to_or_all(0.95)))
STEPS_TO_97 = Measure("steps_to_97", "steps to 97 % accuracy", "steps", RunMeasure(steps_to_or_all(0.97)))
# The runs of a claim are trained beside one another, on as many workers as there are.
_BESIDE = "beside other runs"
SECONDS_TO_95 = Measure(
    "seconds_to_95", f"training seconds to 95 % accuracy, {_BESIDE}", "s", RunMeasure(seconds_to_or_all(0.95))
)
SECONDS_TO_97 = Measure(
    "seconds_to_97", f"training seconds to 97 % accuracy, {_BESIDE}", "s", RunMeasure(seconds_to_or_all(0.97))
)
SECONDS_PER_EPOCH = Measure(
    "seconds_per_epoch", f"training seconds per epoch, {_BESIDE}", "s", RunMeasure(seconds_per_epoch)
)
