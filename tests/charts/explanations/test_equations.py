"""Batch normalization's equations against plain Python, one number at a time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bnlab.charts.explanations.equations import EPSILON, MOMENTUM, normalize, normalize_batch

numbers = st.floats(-1e3, 1e3)
batches = arrays(np.float64, st.tuples(st.integers(2, 20), st.integers(1, 4)), elements=numbers)


def by_hand(column: list[float], gamma: float, beta: float, epsilon: float) -> list[float]:
    mean = math.fsum(column) / len(column)
    variance = math.fsum((x - mean) ** 2 for x in column) / len(column)
    return [gamma * (x - mean) / math.sqrt(variance + epsilon) + beta for x in column]


def test_defaults_are_those_of_keras() -> None:
    assert (EPSILON, MOMENTUM) == (1e-3, 0.99)


@given(batches, st.floats(-3, 3), st.floats(-3, 3), st.floats(1e-5, 1))
def test_each_feature_is_normalized_separately(values: np.ndarray, gamma: float, beta: float, epsilon: float) -> None:
    normalized = normalize_batch(values, gamma=gamma, beta=beta, epsilon=epsilon)
    expected = [by_hand(column, gamma, beta, epsilon) for column in values.T.tolist()]
    np.testing.assert_allclose(normalized.T, expected, rtol=1e-9, atol=1e-8)


@given(batches)
def test_mean_0_and_std_1_once_the_variance_is_far_above_epsilon(values: np.ndarray) -> None:
    spread = values + 10 * np.arange(len(values))[:, None] ** 2
    normalized = normalize_batch(spread, epsilon=1e-12 * (1 + spread.var(axis=0).min()))
    varied = spread.std(axis=0) > 1e-3
    np.testing.assert_allclose(normalized.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(normalized.std(axis=0)[varied], 1, atol=1e-3)


@given(numbers, st.floats(-3, 3), st.floats(-3, 3))
def test_a_batch_of_one_is_beta(value: float, gamma: float, beta: float) -> None:
    assert normalize_batch(np.array([[value]]), gamma=gamma, beta=beta) == pytest.approx(beta)


def test_inference_mode_uses_the_moving_statistics() -> None:
    values = np.array([1.0, 5.0])
    assert normalize(values, 1, 4, gamma=3, beta=2, epsilon=0).tolist() == [2, 8]
