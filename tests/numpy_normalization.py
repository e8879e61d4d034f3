"""Batch normalization and folding in NumPy: the oracle of what models and How it works compute."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def normalize_batch(values: Floats, *, gamma: float = 1.0, beta: float = 0.0, epsilon: float = 1e-3) -> Floats:
    """Training mode: `values` `[batch, ...]` normalized by their mean and variance over the batch."""
    return gamma * (values - values.mean(axis=0)) / np.sqrt(values.var(axis=0) + epsilon) + beta


@dataclass(frozen=True)
class Dense:
    """x · kernel + bias; `kernel` has the shape `[inputs, units]`, `bias` `[units]`."""

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
    epsilon: float = 1e-3

    def __call__(self, x: Floats) -> Floats:
        """`x` `[batch, features]`, normalized. Source: Ioffe & Szegedy 2015, algorithm 2."""
        return self.gamma * (x - self.moving_mean) / np.sqrt(self.moving_variance + self.epsilon) + self.beta

    @property
    def factor(self) -> Floats:
        """The factor of each feature."""
        return self.gamma / np.sqrt(self.moving_variance + self.epsilon)


def fold_into_previous(dense: Dense, normalization: Normalization) -> Dense:
    """The Dense layer equal to `normalization(dense(x))`. Source: Jacob et al. 2018."""
    factor = normalization.factor
    bias = (dense.bias - normalization.moving_mean) * factor + normalization.beta
    return Dense(dense.kernel * factor, bias)


def fold_into_next(normalization: Normalization, dense: Dense) -> Dense:
    """The Dense layer equal to `dense(normalization(x))`."""
    shift = normalization.beta - normalization.moving_mean * normalization.factor
    return Dense(dense.kernel * normalization.factor[:, None], dense.bias + shift @ dense.kernel)
