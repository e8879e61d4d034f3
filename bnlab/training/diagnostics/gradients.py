"""Diagnostics by layer: gradients, activations, dead and saturated units, internal covariate shift."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.model.build import build_model
from bnlab.model.training_step import TrainingStep, training_step
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.data import Batch, probe_batch, step_batch
from bnlab.training.optimizers import UPDATE_RULES, Tensors
from bnlab.training.program import State, batch_loss
from bnlab.training.trainer import trained_states

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
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
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


@dataclass(frozen=True)
class LayerShift:
    """The shift of one layer with weights, hidden or output.

    G is the gradient of the loss with respect to the layer's kernel, G′ the same on the same batch once everything that
    stands before the layer (kernels, biases, gammas, betas) has taken the step. `gradient_norm` is ‖G‖₂, `difference`
    ‖G − G′‖₂, `cosine` that of the angle between them: 1 where nothing shifts, NaN where one of them is 0. The first
    layer has nothing before it but perhaps normalization on the input, so there the difference is 0 otherwise.
    """

    layer: str
    gradient_norm: float
    difference: float
    cosine: float


def layer_shifts(spec: RunSpec, state: State, step: int, batch: Batch) -> tuple[LayerShift, ...]:
    """Every layer's shift in the step that `spec` takes on `batch` after `step` steps, in training mode.

    With noise after BN both gradients are taken under the step's own noise.
    """
    model = build_model(spec)
    gradients = _gradients(model, spec, state, state.trainable, step, batch)
    rate, t = tf.constant(spec.learning_rate, tf.float32), tf.constant(step + 1, tf.float32)
    updated, _ = UPDATE_RULES[spec.optimizer].apply(state.trainable, gradients, state.slots, rate, t)
    paths = [(variable.path.split("/")[-2], variable.name) for variable in model.trainable_variables]
    names = [layer.name for layer in describe_network(spec).layers if any(v.name == "kernel" for v in layer.variables)]
    shifts = []
    for name in names:
        place = paths.index((name, "kernel"))
        # Keras lists variables in the order of the layers: what comes before the kernel stands before its layer.
        mixed = [*updated[:place], *state.trainable[place:]]
        after = gradients[place]
        if place:
            after = _gradients(model, spec, state, mixed, step, batch)[place]
        shifts.append(_shift(name, gradients[place], after))
    return tuple(shifts)


def shifts_trained(spec: RunSpec, steps: Iterable[int]) -> Iterator[tuple[int, tuple[LayerShift, ...]]]:
    """Train `spec` and measure the shifts of the step that follows each of `steps`, on that step's own batch.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
    """
    for step, state in trained_states(spec, steps):
        yield step, layer_shifts(spec, state, step, step_batch(spec, step))


def _gradients(model: keras.Model, spec: RunSpec, state: State, trainable: Tensors, step: int, batch: Batch) -> Tensors:
    current = TrainingStep(tf.constant(step), tf.constant(spec.seed))
    with tf.GradientTape() as tape, training_step(spec, model, current):
        tape.watch(trainable)
        loss, _, _ = batch_loss(model, (trainable, state.non_trainable), *batch)
    return tape.gradient(loss, trainable)


def _shift(name: str, before: tf.Tensor, after: tf.Tensor) -> LayerShift:
    # In float64: where the two are nearly equal, the angle between them is lost in float32's rounding.
    one, other = (tf.cast(tf.reshape(gradient, [-1]), tf.float64) for gradient in (before, after))
    product = float(tf.norm(one) * tf.norm(other))
    cosine = float(tf.tensordot(one, other, 1)) / product if product else float("nan")
    return LayerShift(name, float(tf.norm(one)), float(tf.norm(one - other)), cosine)
