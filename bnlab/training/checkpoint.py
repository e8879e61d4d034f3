"""Conversion between a training state and the named NumPy arrays of a checkpoint."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.optimizers import UPDATE_RULES
from bnlab.training.program import State


def save_state(spec: RunSpec, state: State) -> dict[str, NDArray[np.float32]]:
    """The arrays of `state` by name."""
    tensors = [*state.trainable, *state.non_trainable, *(tensor for slot in state.slots for tensor in slot)]
    return {name: tensor.numpy() for name, tensor in zip(_array_names(spec), tensors, strict=True)}


def load_state(spec: RunSpec, arrays: dict[str, NDArray[np.float32]]) -> State:
    """The inverse of `save_state`.

    Raises:
        KeyError: an array of the spec's network or optimizer is missing.
    """
    tensors = iter([tf.constant(arrays[name]) for name in _array_names(spec)])
    trainable = [next(tensors) for _ in variable_names(spec, trainable=True)]
    non_trainable = [next(tensors) for _ in variable_names(spec, trainable=False)]
    slots = [[next(tensors) for _ in trainable] for _ in UPDATE_RULES[spec.optimizer].slots]
    return State(trainable, non_trainable, slots)


def _array_names(spec: RunSpec) -> Iterator[str]:
    """The names of all arrays: trainable variables, non-trainable variables, then slot by slot."""
    trainable = variable_names(spec, trainable=True)
    yield from trainable
    yield from variable_names(spec, trainable=False)
    for slot in UPDATE_RULES[spec.optimizer].slots:
        yield from (f"{spec.optimizer}/{slot}/{name}" for name in trainable)


def variable_names(spec: RunSpec, *, trainable: bool) -> list[str]:
    """`{layer}/{variable}` of each variable, in Keras's order."""
    layers = describe_network(spec).layers
    return [
        f"{layer.name}/{variable.name}"
        for layer in layers
        for variable in layer.variables
        if variable.trainable == trainable
    ]
