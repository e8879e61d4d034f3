"""The meter of internal covariate shift: how much a layer's gradient moves because the layers before it are updated.

Santurkar et al., How Does Batch Normalization Help Optimization?, 2018, definition 2.1.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import keras
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.model.training_step import TrainingStep, training_step
from bnlab.spec.network import describe_network
from bnlab.spec.run_spec import RunSpec
from bnlab.training.batches import Batch, step_batch, trained_states
from bnlab.training.optimizers import UPDATE_RULES, Tensors
from bnlab.training.program import State, batch_loss


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
        bnlab.spec.datasets.DatasetError: the dataset cannot be had.
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
