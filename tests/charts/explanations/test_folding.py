"""Folded layers, and the outputs before and after folding."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.explanations.folding import (
    fold_into_next,
    fold_into_previous,
    folding_alt,
    folding_difference,
    folding_figure,
    folding_frame,
    linear_network_difference,
    merge_dense,
    random_dense,
    random_normalization,
)
from tests.charts.explanations.figures import assert_says, assert_sound

seeds, widths = st.integers(0, 10_000), st.integers(1, 6)


@given(seeds, widths, widths)
def test_fold_into_previous(seed: int, inputs: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    dense, bn, x = random_dense(rng, inputs, units), random_normalization(rng, units), rng.normal(size=(5, inputs))
    hidden = np.einsum("bi,iu->bu", x, dense.kernel) + dense.bias
    expected = bn.gamma * (hidden - bn.moving_mean) / (bn.moving_variance + bn.epsilon) ** 0.5 + bn.beta
    np.testing.assert_allclose(bn(dense(x)), expected, atol=1e-12)
    np.testing.assert_allclose(fold_into_previous(dense, bn)(x), expected, atol=1e-12)


@given(seeds, widths, widths)
def test_fold_into_next(seed: int, inputs: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    dense, bn, x = random_dense(rng, inputs, units), random_normalization(rng, inputs), rng.normal(size=(5, inputs))
    normalized = bn.gamma * (x - bn.moving_mean) / (bn.moving_variance + bn.epsilon) ** 0.5 + bn.beta
    expected = np.einsum("bi,iu->bu", normalized, dense.kernel) + dense.bias
    np.testing.assert_allclose(dense(bn(x)), expected, atol=1e-12)
    np.testing.assert_allclose(fold_into_next(bn, dense)(x), expected, atol=1e-12)


@given(seeds, widths, widths, widths)
def test_merge_dense(seed: int, inputs: int, hidden: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    first, second, x = random_dense(rng, inputs, hidden), random_dense(rng, hidden, units), rng.normal(size=(5, inputs))
    np.testing.assert_allclose(merge_dense(first, second)(x), second(first(x)), atol=1e-11)


OUTPUTS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_one_row_per_output() -> None:
    frame = folding_frame(OUTPUTS, OUTPUTS + 1)
    expected = pd.DataFrame(
        {
            "example": [1, 1, 2, 2, 3, 3],
            "unit": [1, 2] * 3,
            "two_layers": [1.0, 2, 3, 4, 5, 6],
            "folded": [2.0, 3, 4, 5, 6, 7],
        }
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_both_outputs_have_the_same_x() -> None:
    rings, crosses = folding_figure(folding_frame(OUTPUTS, -OUTPUTS)).data
    np.testing.assert_array_equal(rings.x, crosses.x)
    assert (rings.y.tolist(), crosses.y.tolist()) == (OUTPUTS.ravel().tolist(), (-OUTPUTS).ravel().tolist())
    assert len(set(rings.x)) == 6
    assert rings.text[1] == "example 1, unit 2"


@pytest.mark.parametrize("last", [6, np.nan, np.inf])
def test_figures(last: float) -> None:
    folded = OUTPUTS.copy()
    folded[-1, -1] = last
    assert_sound(folding_figure(folding_frame(OUTPUTS, folded)))


def test_the_difference_is_the_largest() -> None:
    frame = folding_frame(OUTPUTS, OUTPUTS + np.array([[0, -0.5], [0.25, 0], [0, 0]]))
    assert folding_difference(frame) == 0.5
    assert folding_alt(frame) == "Over 6 outputs, two layers and one folded layer differ by at most 5.0e-01."


def test_message_without_examples() -> None:
    nothing = folding_frame(OUTPUTS[:0], OUTPUTS[:0])
    assert_says(folding_figure(nothing), "No examples")
    assert folding_difference(nothing) == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_network_without_activations_is_linear(seed: int) -> None:
    assert linear_network_difference(seed) < 1e-12
