"""The numbers that claims are decided by."""

import math
from collections.abc import Callable, Sequence
from statistics import fmean

import numpy as np
import pandas as pd

from bnlab.claims.claim import Counted, Measure, Trained
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.spec.network import Layer, describe_network
from bnlab.spec.run_spec import RunSpec


def final_accuracy(run: Run, moments: pd.DataFrame) -> float:
    """val_accuracy at the end, in percent; a run that diverged has a guess's, whatever it reached before."""
    if run.state is RunState.DIVERGED:
        return 100 / run.spec.data.classes
    return 100 * float(moments["val_accuracy"].iloc[-1])


def steps_to(target: float) -> Callable[[Run, pd.DataFrame], float]:
    """The step at which val_accuracy first reached `target`, interpolated between two moments.

    A run that never got there counts with its whole planned length: it needs at least that, so a difference to it
    is rather understated.
    """

    def of(run: Run, moments: pd.DataFrame) -> float:
        accuracy, step = moments["val_accuracy"].to_numpy(float), moments["step"].to_numpy(float)
        there = np.flatnonzero(accuracy >= target)
        if len(there) == 0:
            return float(run.spec.total_steps)
        first = int(there[0])
        before = max(first - 1, 0)
        return float(np.interp(target, accuracy[[before, first]], step[[before, first]]))

    return of


def seconds_to(target: float) -> Callable[[Run, pd.DataFrame], float]:
    """The seconds that the steps to `target` take at the run's own pace (see `seconds_per_epoch`)."""
    steps = steps_to(target)

    def of(run: Run, moments: pd.DataFrame) -> float:
        return steps(run, moments) * seconds_per_epoch(run, moments) / run.spec.steps_per_epoch

    return of


def seconds_per_epoch(run: Run, moments: pd.DataFrame) -> float:
    """Seconds that the steps of the run's fastest epoch took, compiling and validation not counted.

    The fastest, because whatever else the machine does can only make an epoch slower. A run that diverged within
    its first epoch counts with the pace it had.
    """
    per_epoch = run.spec.steps_per_epoch
    ends = moments.loc[moments["step"] % per_epoch == 0, "seconds"].to_numpy(float)
    if len(ends) > 1:
        return float(np.diff(ends).min())
    return run.seconds / run.step * per_epoch if run.step else math.nan


def trainable_a_unit(spec: RunSpec) -> float:
    """Trainable parameters of the BN layers for each unit they normalize; 0 without BN."""
    return _a_unit(spec, lambda layer: layer.trainable)


def non_trainable_a_unit(spec: RunSpec) -> float:
    """Non-trainable parameters of the BN layers for each unit they normalize; 0 without BN."""
    return _a_unit(spec, lambda layer: layer.non_trainable)


def operations(spec: RunSpec) -> float:
    """Multiplications and additions that predicting one image takes, activations left out.

    A Dense layer multiplies and adds once a weight and adds its bias; a convolution does so at every place. A BN layer
    multiplies and adds once a unit, with gamma / √(moving_variance + epsilon) and what is added made ready before.
    """
    return float(sum(_operations(layer) for layer in describe_network(spec).layers))


def spread(values: Sequence[float]) -> float:
    """Between the highest and the lowest."""
    return max(values) - min(values)


def gain(values: Sequence[float]) -> float:
    """The mean of second minus first, third's fourth minus third, and so on: what BN adds in each pair."""
    return fmean(after - before for before, after in zip(values[::2], values[1::2], strict=True))


def _a_unit(spec: RunSpec, count: Callable[[Layer], int]) -> float:
    layers = describe_network(spec).normalizations
    units = sum(layer.output_shape[-1] for layer in layers)
    return sum(count(layer) for layer in layers) / units if units else 0.0


def _operations(layer: Layer) -> int:
    if layer.normalizer is not None:
        return layer.normalizer.operations * math.prod(layer.output_shape)
    has_bias = any(variable.name == "bias" for variable in layer.variables)
    return 2 * layer.products + has_bias * math.prod(layer.output_shape)


ACCURACY = Measure("final validation accuracy", "%", Trained(final_accuracy))
SPREAD = Measure("spread of final validation accuracy, best minus worst", "points", ACCURACY.source, spread)
LOWEST = Measure("lowest final validation accuracy", "%", ACCURACY.source, min)
GAIN = Measure("final validation accuracy that BN adds", "points", ACCURACY.source, gain)
STEPS_TO_95 = Measure("steps to 95 % accuracy", "steps", Trained(steps_to(0.95)))
STEPS_TO_97 = Measure("steps to 97 % accuracy", "steps", Trained(steps_to(0.97)))
SECONDS_TO_95 = Measure("training seconds to 95 % accuracy", "s", Trained(seconds_to(0.95)))
SECONDS_TO_97 = Measure("training seconds to 97 % accuracy", "s", Trained(seconds_to(0.97)))
SECONDS_PER_EPOCH = Measure("training seconds an epoch", "s", Trained(seconds_per_epoch))
TRAINABLE_A_UNIT = Measure("BN's trainable parameters a unit", "parameters", Counted(trainable_a_unit))
NON_TRAINABLE_A_UNIT = Measure("BN's non-trainable parameters a unit", "parameters", Counted(non_trainable_a_unit))
TRAINABLE = Measure("trainable parameters", "parameters", Counted(lambda spec: describe_network(spec).trainable))
PARAMETERS = Measure("parameters", "parameters", Counted(lambda spec: describe_network(spec).params))
LAYERS = Measure("layers", "layers", Counted(lambda spec: len(describe_network(spec).layers)))
OPERATIONS = Measure("operations to predict one image", "operations", Counted(operations))
