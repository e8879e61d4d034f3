"""Batch normalization's equations, as Keras computes them."""

import numpy as np
from numpy.typing import NDArray

from bnlab.specs.run_spec import RunSpec

Floats = NDArray[np.float64]

EPSILON: float = RunSpec.model_fields["epsilon"].default
MOMENTUM: float = RunSpec.model_fields["momentum"].default


def normalize(
    values: Floats,
    mean: Floats | float,
    variance: Floats | float,
    *,
    gamma: Floats | float = 1.0,
    beta: Floats | float = 0.0,
    epsilon: float = EPSILON,
) -> Floats:
    """Inference mode: gamma · (values − mean) / √(variance + epsilon) + beta, given the moving statistics.

    Source: Ioffe & Szegedy 2015, algorithm 2.
    """
    return gamma * (values - mean) / np.sqrt(variance + epsilon) + beta


def normalize_batch(
    values: Floats, *, gamma: Floats | float = 1.0, beta: Floats | float = 0.0, epsilon: float = EPSILON
) -> Floats:
    """Training mode: `values` `[batch, ...]` normalized by their mean and variance over the batch.

    The variance divides by the batch size, as the paper's algorithm 1 and Keras do.
    """
    return normalize(values, values.mean(axis=0), values.var(axis=0), gamma=gamma, beta=beta, epsilon=epsilon)
