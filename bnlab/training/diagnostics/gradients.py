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

DEAD_UNIT_ACTIVATIONS = frozenset({"relu"})
"""Activations whose gradient is exactly zero for negative inputs."""

SATURATED: dict[str, Callable[[Values], NDArray[np.bool_]]] = {
    "sigmoid": lambda outputs: (outputs < 0.01) | (outputs > 0.99),
    "tanh": lambda outputs: np.abs(outputs) > 0.99,
}
"""Activation -> the mask of the outputs at which its gradient almost vanishes."""


@dataclass(frozen=True)
class LayerStatistics:
    """Statistics of one hidden layer on one batch, in training mode; all NaN after a divergence.

    Attributes:
        layer: The layer's name.
        gradient_norm: Frobenius norm of the loss's gradient with respect to the kernel.
        activation_variance: Variance of the activation's outputs, over examples and units together.
        dead: Fraction of the units whose input to a ReLU is negative or zero for every example; 0 for other
            activations.
        saturated: Fraction of a sigmoid's outputs below 0.01 or above 0.99, or of a tanh's outputs beyond ±0.99; 0 for
            other activations.
    """

    layer: str
    gradient_norm: float
    activation_variance: float
    dead: float
    saturated: float


def layer_statistics_at_steps(spec: RunSpec, steps: Iterable[int]) -> Iterator[tuple[int, tuple[LayerStatistics, ...]]]:
    """Train `spec` and yield the statistics of its layers on the probe batch after each of `steps`.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    batch = probe_batch(spec)
    for step, state in trained_states(spec, steps):
        yield step, layer_statistics(spec, state, step, batch)


def layer_statistics(spec: RunSpec, state: State, step: int, batch: Batch) -> tuple[LayerStatistics, ...]:
    """Statistics of every hidden layer, from input to output, at `state` after `step` steps, without noise."""
    network, model = describe_network(spec), build_model(spec)
    names = {layer.name for layer in network.layers}
    input_names = [block.pre_activation for block in network.blocks]
    activations = [f"activation_{number}" for number in range(1, len(network.blocks) + 1)]
    # A linear activation has no layer: its output is its input.
    output_names = [
        activation if activation in names else pre_activation
        for activation, pre_activation in zip(activations, input_names, strict=True)
    ]
    layer_outputs = [model.get_layer(name).output for name in (*input_names, *output_names)]
    inner_model = keras.Model(model.inputs[0], layer_outputs + model.outputs[:1])
    kernels = [state.trainable[index] for index in _kernel_indices(model, [block.dense for block in network.blocks])]
    with tf.GradientTape() as tape, training_step(spec, inner_model, TrainingStep(tf.constant(step))):
        tape.watch(kernels)
        loss, outputs, _ = batch_loss(inner_model, (state.trainable, state.non_trainable), *batch)
    gradient_norms = [float(tf.norm(gradient)) for gradient in tape.gradient(loss, kernels)]
    values = [output.numpy() for output in outputs[:-1]]
    depth = len(network.blocks)
    rows = zip(network.blocks, gradient_norms, values[:depth], values[depth:], strict=True)
    return tuple(
        _activation_statistics(block.dense, spec.activation, norm, pre_activations, activated)
        for block, norm, pre_activations, activated in rows
    )


def _activation_statistics(
    layer: str, activation: str, gradient_norm: float, inputs: Values, outputs: Values
) -> LayerStatistics:
    if not (np.isfinite(inputs).all() and np.isfinite(outputs).all()):
        return LayerStatistics(layer, *[float("nan")] * 4)
    is_dead = (inputs <= 0).all(axis=tuple(range(inputs.ndim - 1)))
    dead = float(is_dead.mean()) if activation in DEAD_UNIT_ACTIVATIONS else 0.0
    saturated = float(SATURATED[activation](outputs).mean()) if activation in SATURATED else 0.0
    return LayerStatistics(layer, gradient_norm, float(outputs.var(dtype=np.float64)), dead, saturated)


@dataclass(frozen=True)
class LayerShift:
    """Internal covariate shift of one layer with a kernel, hidden or output.

    G is the gradient of the loss with respect to the layer's kernel. G′ is the same gradient on the same batch after
    all trainable variables of the preceding layers took their step. Without preceding variables G′ = G.
    Source: Santurkar et al. 2018, "How Does Batch Normalization Help Optimization?", definition 2.1.

    Attributes:
        layer: The layer's name.
        gradient_norm: ‖G‖₂.
        difference: ‖G − G′‖₂.
        cosine: The cosine of the angle between G and G′: 1 without a shift, NaN if one of them is 0.
    """

    layer: str
    gradient_norm: float
    difference: float
    cosine: float


def layer_shifts_at_steps(spec: RunSpec, steps: Iterable[int]) -> Iterator[tuple[int, tuple[LayerShift, ...]]]:
    """Train `spec` and yield the shifts in the step that follows each of `steps`, on the batch of that step.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    for step, state in trained_states(spec, steps):
        yield step, layer_shifts(spec, state, step, step_batch(spec, step))


def layer_shifts(spec: RunSpec, state: State, step: int, batch: Batch) -> tuple[LayerShift, ...]:
    """The shift of every layer with a kernel in the step on `batch` that follows `step` steps, in training mode.

    Both gradients are taken under the same noise, that of the step.
    """
    model = build_model(spec)
    gradients = _gradients(model, spec, state, state.trainable, step, batch)
    learning_rate, t = tf.constant(spec.learning_rate, tf.float32), tf.constant(step + 1, tf.float32)
    updated, _ = UPDATE_RULES[spec.optimizer].apply(state.trainable, gradients, state.slots, learning_rate, t)
    names = [layer.name for layer in describe_network(spec).layers if any(v.name == "kernel" for v in layer.variables)]
    shifts = []
    for name, index in zip(names, _kernel_indices(model, names), strict=True):
        # Keras lists variables in the order of the layers, so those before the kernel belong to preceding layers.
        mixed = [*updated[:index], *state.trainable[index:]]
        gradient_after = gradients[index]
        if index:
            gradient_after = _gradients(model, spec, state, mixed, step, batch)[index]
        shifts.append(_compare_gradients(name, gradients[index], gradient_after))
    return tuple(shifts)


def _gradients(model: keras.Model, spec: RunSpec, state: State, trainable: Tensors, step: int, batch: Batch) -> Tensors:
    """The gradients of the loss with respect to `trainable`, which replaces the weights of `state`."""
    current = TrainingStep(tf.constant(step), tf.constant(spec.seed))
    with tf.GradientTape() as tape, training_step(spec, model, current):
        tape.watch(trainable)
        loss, _, _ = batch_loss(model, (trainable, state.non_trainable), *batch)
    return tape.gradient(loss, trainable)


def _compare_gradients(layer: str, before: tf.Tensor, after: tf.Tensor) -> LayerShift:
    # In float64, because float32 rounds away a small angle between the two.
    g, g_after = (tf.cast(tf.reshape(gradient, [-1]), tf.float64) for gradient in (before, after))
    product = float(tf.norm(g) * tf.norm(g_after))
    cosine = float(tf.tensordot(g, g_after, 1)) / product if product else float("nan")
    return LayerShift(layer, float(tf.norm(g)), float(tf.norm(g - g_after)), cosine)


def _kernel_indices(model: keras.Model, layers: Iterable[str]) -> list[int]:
    """The positions of the layers' kernels among the model's trainable variables."""
    names = [(variable.path.split("/")[-2], variable.name) for variable in model.trainable_variables]
    return [names.index((layer, "kernel")) for layer in layers]
