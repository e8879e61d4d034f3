"""Sensitivity of the loss to each quantity of the normalization layers, in training and in inference mode."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.model.training_step import TrainingStep, training_step
from bnlab.specs.network import Layer, describe_network
from bnlab.specs.normalizers import VARIABLES, Role
from bnlab.specs.run_spec import RunSpec
from bnlab.training.data import Batch
from bnlab.training.optimizers import Tensors
from bnlab.training.program import State, batch_loss

DEFAULT_AMOUNT = 0.1

Perturbation = Callable[[tf.Tensor, tf.Tensor, float], tf.Tensor]
"""(quantity, variance of the same layer, amount) -> perturbed quantity."""
Moments = Callable[..., tuple[tf.Tensor, tf.Tensor]]


def _scale(quantity: tf.Tensor, _variance: tf.Tensor, amount: float) -> tf.Tensor:
    return quantity * (1 + amount)


def _add(quantity: tf.Tensor, _variance: tf.Tensor, amount: float) -> tf.Tensor:
    return quantity + amount


def _add_deviations(quantity: tf.Tensor, variance: tf.Tensor, amount: float) -> tf.Tensor:
    return quantity + amount * tf.sqrt(variance)


_BY_ROLE: dict[Role, Perturbation] = {
    "factor": _scale,
    "offset": _add,
    "mean": _add_deviations,
    "variance": _scale,
}
_TRAINABLE = {name: _BY_ROLE[variable.role] for name, variable in VARIABLES.items() if variable.trainable}
_BATCH_STATISTICS: dict[str, Perturbation] = {"batch_mean": _add_deviations, "batch_variance": _scale}
_MOVING_STATISTICS = {name: _BY_ROLE[variable.role] for name, variable in VARIABLES.items() if not variable.trainable}

PERTURBATIONS: dict[str, Perturbation] = {**_TRAINABLE, **_BATCH_STATISTICS, **_MOVING_STATISTICS}
"""The perturbation of each quantity: factors and variances are multiplied by 1 + amount, the amount is added to offsets
(which start at 0), and amount times the standard deviation is added to means."""


@dataclass(frozen=True)
class LossChange:
    """The change of the mean loss on one batch when one quantity of all normalization layers is perturbed.

    Exactly 0 in a mode that does not use the quantity: the moving statistics in training mode (except in batch
    renormalization, which corrects towards them) and the batch statistics in inference mode.

    Attributes:
        quantity: A key of PERTURBATIONS.
        training: The change in training mode.
        inference: The change in inference mode.
    """

    quantity: str
    training: float
    inference: float


def loss_changes(
    spec: RunSpec, state: State, step: int, batch: Batch, amount: float = DEFAULT_AMOUNT
) -> tuple[LossChange, ...]:
    """The change for each quantity of the network of `spec`, at `state` after `step` steps, without noise.

    All units of all normalization layers are perturbed at once and in the same direction; the batch statistics of later
    layers follow from their perturbed inputs. Empty for a network without normalization.

    Returns:
        Changes in the order of PERTURBATIONS, those of the batch statistics only if the normalizer uses them.
    """
    layers = describe_network(spec).normalizations
    batch_layers = [layer for layer in layers if layer.normalizer and layer.normalizer.uses_batch_statistics]
    quantities = {variable.name for layer in layers for variable in layer.variables}
    if batch_layers:
        quantities |= set(_BATCH_STATISTICS)
    model = build_model(spec)
    reference = _losses(spec, model, state, step, batch)
    changes = []
    for quantity in (name for name in PERTURBATIONS if name in quantities):
        perturbed = _perturb_variables(model, state, quantity, amount)
        with _perturbed_batch_statistics(model, batch_layers, quantity, amount):
            losses = _losses(spec, model, perturbed, step, batch)
        changes.append(LossChange(quantity, losses[0] - reference[0], losses[1] - reference[1]))
    return tuple(changes)


def _losses(spec: RunSpec, model: keras.Sequential, state: State, step: int, batch: Batch) -> tuple[float, float]:
    """The mean loss on `batch` in training mode and in inference mode."""

    def loss(training: bool) -> float:
        with training_step(spec, model, TrainingStep(tf.constant(step))):
            value, _, _ = batch_loss(model, (state.trainable, state.non_trainable), *batch, training=training)
        return float(value)

    return loss(training=True), loss(training=False)


def _perturb_variables(model: keras.Sequential, state: State, quantity: str, amount: float) -> State:
    """`state` with all variables named `quantity` perturbed; unchanged for a batch statistic."""
    variances = {
        _layer_name(variable): value
        for variable, value in zip(model.non_trainable_variables, state.non_trainable, strict=True)
        if variable.name in VARIABLES and VARIABLES[variable.name].role == "variance"
    }

    def perturb(variables: list[keras.Variable], values: Tensors) -> Tensors:
        return [
            PERTURBATIONS[quantity](value, variances.get(_layer_name(variable), value), amount)
            if variable.name == quantity
            else value
            for variable, value in zip(variables, values, strict=True)
        ]

    return State(
        perturb(model.trainable_variables, state.trainable),
        perturb(model.non_trainable_variables, state.non_trainable),
        state.slots,
    )


def _layer_name(variable: keras.Variable) -> str:
    return str(variable.path.split("/")[-2])


@contextmanager
def _perturbed_batch_statistics(
    model: keras.Sequential, layers: Iterable[Layer], quantity: str, amount: float
) -> Iterator[None]:
    """Perturb the batch mean or variance that `layers` of `model` compute in the block."""
    keras_layers = [model.get_layer(layer.name) for layer in layers]
    for layer in keras_layers:
        layer._moments = _perturb_moments(layer._moments, quantity, amount)
    try:
        yield
    finally:
        for layer in keras_layers:
            del layer._moments


def _perturb_moments(moments: Moments, quantity: str, amount: float) -> Moments:
    def perturbed(*arguments: object) -> tuple[tf.Tensor, tf.Tensor]:
        mean, variance = moments(*arguments)
        if quantity == "batch_mean":
            return PERTURBATIONS[quantity](mean, variance, amount), variance
        if quantity == "batch_variance":
            return mean, PERTURBATIONS[quantity](variance, variance, amount)
        return mean, variance

    return perturbed
