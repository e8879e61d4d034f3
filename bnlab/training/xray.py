"""The depth X-ray: how values and gradients fare from layer to layer, at one state of a network."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.model.build import build_model
from bnlab.model.training_step import TrainingStep, training_step
from bnlab.spec.network import describe_network
from bnlab.spec.run_spec import RunSpec
from bnlab.training.batches import Batch, probe_batch, trained_states
from bnlab.training.program import State, batch_loss

Values = NDArray[np.float32]

DYING = frozenset({"relu"})
"""Activations that pass no gradient at all below zero."""

SATURATED: dict[str, Callable[[Values], NDArray[np.bool_]]] = {
    "sigmoid": lambda outputs: (outputs < 0.01) | (outputs > 0.99),
    "tanh": lambda outputs: np.abs(outputs) > 0.99,
}
"""Where an activation that is flat at both ends hardly passes a gradient, told by its outputs."""


@dataclass(frozen=True)
class LayerXray:
    """One hidden layer on one batch, in training mode.

    `gradient_norm` is the Frobenius norm of the loss's gradient with respect to the layer's kernel,
    `activation_variance` the variance of the activation's outputs over examples and units together, `dead` the share of
    units whose input to a ReLU is never above zero, and `saturated` the share of a sigmoid's outputs below 0.01 or
    above 0.99, or of tanh's beyond ±0.99. `dead` is 0 for other activations than ReLU, `saturated` for others than
    sigmoid and tanh; all four are NaN where the network has diverged.
    """

    layer: str
    gradient_norm: float
    activation_variance: float
    dead: float
    saturated: float


def xray(spec: RunSpec, state: State, step: int, batch: Batch) -> tuple[LayerXray, ...]:
    """Every hidden layer of `spec` at `state` after `step` steps, from the input on; noise is left out."""
    network, model = describe_network(spec), build_model(spec)
    names = {layer.name for layer in network.layers}
    outputs = [f"activation_{number}" for number in range(1, len(network.blocks) + 1)]
    entering = [block.pre_activation for block in network.blocks]
    leaving = [name if name in names else before for name, before in zip(outputs, entering, strict=True)]
    shown = keras.Model(
        model.inputs[0], [model.get_layer(name).output for name in (*entering, *leaving)] + model.outputs[:1]
    )
    kernels = [state.trainable[place] for place in _places(model, [block.dense for block in network.blocks])]
    with tf.GradientTape() as tape, training_step(spec, shown, TrainingStep(tf.constant(step))):
        tape.watch(kernels)
        loss, inner, _ = batch_loss(shown, (state.trainable, state.non_trainable), *batch)
    norms = [float(tf.norm(gradient)) for gradient in tape.gradient(loss, kernels)]
    values = [layer.numpy() for layer in inner[:-1]]
    pairs = zip(values[: len(entering)], values[len(entering) :], strict=True)
    rows = zip(network.blocks, norms, pairs, strict=True)
    return tuple(_layer_xray(block.dense, spec.activation, norm, *pair) for block, norm, pair in rows)


def xray_trained(spec: RunSpec, steps: Iterable[int]) -> Iterator[tuple[int, tuple[LayerXray, ...]]]:
    """Train `spec` and X-ray it on the probe batch after each of `steps`; 0 is the initialization.

    Raises:
        ValueError: a step is negative.
        bnlab.spec.datasets.DatasetError: the dataset cannot be had.
    """
    batch = probe_batch(spec)
    for step, state in trained_states(spec, steps):
        yield step, xray(spec, state, step, batch)


def _layer_xray(layer: str, activation: str, norm: float, entering: Values, leaving: Values) -> LayerXray:
    if not (np.isfinite(entering).all() and np.isfinite(leaving).all()):
        return LayerXray(layer, *[float("nan")] * 4)
    asleep = (entering <= 0).all(axis=tuple(range(entering.ndim - 1)))
    dead = float(asleep.mean()) if activation in DYING else 0.0
    saturated = float(SATURATED[activation](leaving).mean()) if activation in SATURATED else 0.0
    return LayerXray(layer, norm, float(leaving.var(dtype=np.float64)), dead, saturated)


def _places(model: keras.Model, layers: Iterable[str]) -> list[int]:
    """Where the layers' kernels stand among the model's trainable variables."""
    paths = [(variable.path.split("/")[-2], variable.name) for variable in model.trainable_variables]
    return [paths.index((name, "kernel")) for name in layers]
