"""Dense and batch-normalization layers in inference mode, and the one Dense layer that equals two of them."""

from dataclasses import dataclass

import numpy as np

from bnlab.charts.explanations.equations import EPSILON, Floats, normalize

INPUTS, UNITS = 3, 2


@dataclass(frozen=True)
class Dense:
    """x · kernel + bias; `kernel` has the shape `[inputs, units]`, as Keras stores it, `bias` `[units]`."""

    kernel: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        """The layer's output `[batch, units]` for `x` `[batch, inputs]`."""
        return x @ self.kernel + self.bias


@dataclass(frozen=True)
class Normalization:
    """A batch-normalization layer in inference mode; each array has the shape `[features]`."""

    gamma: Floats
    beta: Floats
    moving_mean: Floats
    moving_variance: Floats
    epsilon: float = EPSILON

    def __call__(self, x: Floats) -> Floats:
        """`x` `[batch, features]`, normalized."""
        statistics = self.moving_mean, self.moving_variance
        return normalize(x, *statistics, gamma=self.gamma, beta=self.beta, epsilon=self.epsilon)

    @property
    def factor(self) -> Floats:
        """What the layer multiplies each feature by: gamma / √(moving_variance + epsilon)."""
        return self.gamma / np.sqrt(self.moving_variance + self.epsilon)


def fold_into_previous(dense: Dense, normalization: Normalization) -> Dense:
    """The one layer that equals `normalization(dense(x))`. Source: Jacob et al. 2018."""
    factor = normalization.factor
    bias = (dense.bias - normalization.moving_mean) * factor + normalization.beta
    return Dense(dense.kernel * factor, bias)


def fold_into_next(normalization: Normalization, dense: Dense) -> Dense:
    """The one layer that equals `dense(normalization(x))`: BN on the input, or after an activation."""
    shift = normalization.beta - normalization.moving_mean * normalization.factor
    return Dense(dense.kernel * normalization.factor[:, None], dense.bias + shift @ dense.kernel)


def merge(first: Dense, second: Dense) -> Dense:
    """The one layer that equals `second(first(x))`: without an activation between, two layers are one."""
    return Dense(first.kernel @ second.kernel, second(first.bias))


def draw_dense(rng: np.random.Generator, inputs: int = INPUTS, units: int = UNITS) -> Dense:
    """Random numbers with one decimal, to be read on a page."""
    return Dense(rng.normal(0, 1, (inputs, units)).round(1), rng.normal(0, 1, units).round(1))


def draw_normalization(rng: np.random.Generator, features: int) -> Normalization:
    """Random numbers with one decimal; the variances are positive."""
    gamma, variance = rng.uniform(0.5, 2, features).round(1), rng.uniform(0.2, 4, features).round(1)
    return Normalization(gamma, rng.normal(0, 1, features).round(1), rng.normal(0, 1, features).round(1), variance)
