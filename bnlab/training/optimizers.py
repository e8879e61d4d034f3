"""Keras's optimizers as pure functions, because `stateless_apply` raises on the TensorFlow backend.

Each rule maps (weights, gradients, slots, learning rate, step) to new weights and slots, with the constants of Keras's
defaults.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

Tensors = list[tf.Tensor]
Slots = list[Tensors]
Step = Callable[[tf.Tensor, tf.Tensor, Sequence[tf.Tensor], tf.Tensor, tf.Tensor], Tensors]

MOMENTUM = 0.9
RHO = 0.9
BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7


@dataclass(frozen=True)
class UpdateRule:
    """An optimizer's update of one variable.

    Attributes:
        slots: Names of the arrays, each of the weight's shape, that the optimizer keeps from step to step.
        step: (weight, gradient, slots, learning_rate, t) -> [weight, *slots]; t counts steps from 1.
    """

    slots: tuple[str, ...]
    step: Step

    def initial_slots(self, weights: Tensors) -> Slots:
        """Zeros of each weight's shape: one list per slot."""
        return [[tf.zeros_like(weight) for weight in weights] for _ in self.slots]

    def apply(
        self, weights: Tensors, gradients: Tensors, slots: Slots, learning_rate: tf.Tensor, t: tf.Tensor
    ) -> tuple[Tensors, Slots]:
        """The weights and slots after one update of all variables."""
        updated = [
            self.step(weight, gradient, variable_slots, learning_rate, t)
            for weight, gradient, *variable_slots in zip(weights, gradients, *slots, strict=True)
        ]
        new_weights, *new_slots = map(list, zip(*updated, strict=True))
        return new_weights, new_slots


def _sgd(w: tf.Tensor, g: tf.Tensor, slots: Sequence[tf.Tensor], rate: tf.Tensor, t: tf.Tensor) -> Tensors:
    return [w - g * rate]


def _momentum(w: tf.Tensor, g: tf.Tensor, slots: Sequence[tf.Tensor], rate: tf.Tensor, t: tf.Tensor) -> Tensors:
    velocity = slots[0] * MOMENTUM - g * rate
    return [w + velocity, velocity]


def _nesterov(w: tf.Tensor, g: tf.Tensor, slots: Sequence[tf.Tensor], rate: tf.Tensor, t: tf.Tensor) -> Tensors:
    velocity = slots[0] * MOMENTUM - g * rate
    return [w + (velocity * MOMENTUM - g * rate), velocity]


def _rmsprop(w: tf.Tensor, g: tf.Tensor, slots: Sequence[tf.Tensor], rate: tf.Tensor, t: tf.Tensor) -> Tensors:
    square = RHO * slots[0] + (1 - RHO) * tf.square(g)
    return [w - rate * g / tf.sqrt(square + EPSILON), square]


def _adam(w: tf.Tensor, g: tf.Tensor, slots: Sequence[tf.Tensor], rate: tf.Tensor, t: tf.Tensor) -> Tensors:
    """Kingma and Ba, 2015, in the form at the end of their section 2."""
    mean = slots[0] + (g - slots[0]) * (1 - BETA_1)
    square = slots[1] + (tf.square(g) - slots[1]) * (1 - BETA_2)
    alpha = rate * tf.sqrt(1 - tf.pow(BETA_2, t)) / (1 - tf.pow(BETA_1, t))
    return [w - mean * alpha / (tf.sqrt(square) + EPSILON), mean, square]


UPDATE_RULES: dict[str, UpdateRule] = {
    "sgd": UpdateRule((), _sgd),
    "sgd_momentum": UpdateRule(("velocity",), _momentum),
    "nesterov": UpdateRule(("velocity",), _nesterov),
    "rmsprop": UpdateRule(("mean_square",), _rmsprop),
    "adam": UpdateRule(("mean", "square"), _adam),
}
