"""What the loss depends on: each of normalization's quantities moved a little, in both modes."""

from collections.abc import Callable, Iterable, Iterator
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

AMOUNT = 0.1

Move = Callable[[tf.Tensor, tf.Tensor, float], tf.Tensor]
"""(the quantity, the variance of the same layer, amount) -> the quantity moved."""


def _grown(quantity: tf.Tensor, _variance: tf.Tensor, amount: float) -> tf.Tensor:
    return quantity * (1 + amount)


def _shifted(quantity: tf.Tensor, _variance: tf.Tensor, amount: float) -> tf.Tensor:
    return quantity + amount


def _shifted_by_deviations(quantity: tf.Tensor, variance: tf.Tensor, amount: float) -> tf.Tensor:
    return quantity + amount * tf.sqrt(variance)


_BY_ROLE: dict[Role, Move] = {
    "factor": _grown,
    "offset": _shifted,
    "mean": _shifted_by_deviations,
    "variance": _grown,
}
_OF_BATCH: dict[str, Move] = {"batch_mean": _shifted_by_deviations, "batch_variance": _grown}
_LEARNED = {name: _BY_ROLE[v.role] for name, v in VARIABLES.items() if v.trainable}
_KEPT = {name: _BY_ROLE[v.role] for name, v in VARIABLES.items() if not v.trainable}

MOVES: dict[str, Move] = {**_LEARNED, **_OF_BATCH, **_KEPT}
"""How each quantity is moved: factors and variances by a share of themselves, offsets (which start at 0) by the amount
itself, the means by a share of the standard deviation that goes with them."""


@dataclass(frozen=True)
class LossChange:
    """How far the mean loss on one batch moves when one quantity of every normalization layer does, in each mode.

    Exactly 0 where a mode does not use the quantity: in training mode the moving statistics (but for batch
    renormalization, which corrects towards them), in inference mode the batch's.
    """

    quantity: str
    training: float
    inference: float


def loss_changes(
    spec: RunSpec, state: State, step: int, batch: Batch, amount: float = AMOUNT
) -> tuple[LossChange, ...]:
    """One change for each quantity that the network of `spec` has, in the order of MOVES; noise is left out.

    `state` is that after `step` steps. All units of all normalization layers are moved at once and in the same
    direction; the later layers' batch statistics are those of what then reaches them. Nothing for a network without
    normalization, and no statistics of the batch where the normalizer uses none.
    """
    layers = describe_network(spec).normalizations
    by_batch = [layer for layer in layers if layer.normalizer and layer.normalizer.uses_batch_statistics]
    names = {variable.name for layer in layers for variable in layer.variables} | (
        set(_OF_BATCH) if by_batch else set()
    )
    model = build_model(spec)
    reference = list(_losses(spec, model, state, step, batch))
    changes = []
    for quantity in (name for name in MOVES if name in names):
        moved = _moved_state(model, state, quantity, amount)
        with _MovedMoments(model, by_batch, quantity, amount):
            losses = list(_losses(spec, model, moved, step, batch))
        changes.append(LossChange(quantity, *(loss - own for loss, own in zip(losses, reference, strict=True))))
    return tuple(changes)


def _losses(spec: RunSpec, model: keras.Sequential, state: State, step: int, batch: Batch) -> Iterator[float]:
    for training in (True, False):
        with training_step(spec, model, TrainingStep(tf.constant(step))):
            loss, _, _ = batch_loss(model, (state.trainable, state.non_trainable), *batch, training=training)
        yield float(loss)


def _moved_state(model: keras.Sequential, state: State, quantity: str, amount: float) -> State:
    """`state` with the variables of that name moved; as it is for the batch's statistics."""
    variances = {
        _owner(variable): value
        for variable, value in zip(model.non_trainable_variables, state.non_trainable, strict=True)
        if variable.name in VARIABLES and VARIABLES[variable.name].role == "variance"
    }

    def moved(variables: list[keras.Variable], values: Tensors) -> Tensors:
        return [
            MOVES[quantity](value, variances.get(_owner(variable), value), amount)
            if variable.name == quantity
            else value
            for variable, value in zip(variables, values, strict=True)
        ]

    return State(
        moved(model.trainable_variables, state.trainable),
        moved(model.non_trainable_variables, state.non_trainable),
        state.slots,
    )


def _owner(variable: keras.Variable) -> str:
    return str(variable.path.split("/")[-2])


class _MovedMoments:
    """While it is entered, `layers` of `model`, which take moments of the batch, see its mean or variance moved."""

    def __init__(self, model: keras.Sequential, layers: Iterable[Layer], quantity: str, amount: float) -> None:
        self._layers = [model.get_layer(layer.name) for layer in layers]
        self._quantity, self._amount = quantity, amount

    def __enter__(self) -> None:
        for layer in self._layers:
            layer._moments = self._moving(layer._moments)

    def __exit__(self, *_: object) -> None:
        for layer in self._layers:
            del layer._moments

    def _moving(
        self, moments: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    ) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
        def moved(*arguments: object) -> tuple[tf.Tensor, tf.Tensor]:
            mean, variance = moments(*arguments)
            if self._quantity == "batch_mean":
                return MOVES[self._quantity](mean, variance, self._amount), variance
            if self._quantity == "batch_variance":
                return mean, MOVES[self._quantity](variance, variance, self._amount)
            return mean, variance

        return moved
