"""The state of a training as named NumPy arrays, and back: what a checkpoint holds."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.specs.network import Variable, describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.optimizers import UPDATE_RULES
from bnlab.training.program import State


def save_state(spec: RunSpec, state: State) -> dict[str, NDArray[np.float32]]:
    """The arrays of `state` by name."""
    tensors = [*state.trainable, *state.non_trainable, *(t for slot in state.slots for t in slot)]
    return {name: tensor.numpy() for name, tensor in zip(_names(spec), tensors, strict=True)}


def load_state(spec: RunSpec, arrays: dict[str, NDArray[np.float32]]) -> State:
    """The inverse of `save_state`.

    Raises:
        KeyError: an array of the spec's network or optimizer is missing.
    """
    tensors = iter([tf.constant(arrays[name]) for name in _names(spec)])
    trainable = [next(tensors) for _ in _variables(spec, trainable=True)]
    non_trainable = [next(tensors) for _ in _variables(spec, trainable=False)]
    slots = [[next(tensors) for _ in trainable] for _ in UPDATE_RULES[spec.optimizer].slots]
    return State(trainable, non_trainable, slots)


def _variables(spec: RunSpec, *, trainable: bool) -> list[tuple[str, Variable]]:
    layers = describe_network(spec).layers
    return [(f"{layer.name}/{v.name}", v) for layer in layers for v in layer.variables if v.trainable == trainable]


def _names(spec: RunSpec) -> Iterator[str]:
    weights = [name for name, _ in _variables(spec, trainable=True)]
    yield from weights
    yield from (name for name, _ in _variables(spec, trainable=False))
    for slot in UPDATE_RULES[spec.optimizer].slots:
        yield from (f"{spec.optimizer}/{slot}/{name}" for name in weights)
