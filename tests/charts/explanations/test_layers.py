"""Two layers and the one that equals them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.explanations.folding import random_dense, random_normalization, fold_into_next, fold_into_previous, merge_dense

seeds, widths = st.integers(0, 10_000), st.integers(1, 6)


@given(seeds, widths, widths)
def test_folding_into_the_layer_before(seed: int, inputs: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    dense, bn, x = random_dense(rng, inputs, units), random_normalization(rng, units), rng.normal(size=(5, inputs))
    hidden = np.einsum("bi,iu->bu", x, dense.kernel) + dense.bias
    expected = bn.gamma * (hidden - bn.moving_mean) / (bn.moving_variance + bn.epsilon) ** 0.5 + bn.beta
    np.testing.assert_allclose(bn(dense(x)), expected, atol=1e-12)
    np.testing.assert_allclose(fold_into_previous(dense, bn)(x), expected, atol=1e-12)


@given(seeds, widths, widths)
def test_folding_into_the_layer_behind(seed: int, inputs: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    dense, bn, x = random_dense(rng, inputs, units), random_normalization(rng, inputs), rng.normal(size=(5, inputs))
    normalized = bn.gamma * (x - bn.moving_mean) / (bn.moving_variance + bn.epsilon) ** 0.5 + bn.beta
    expected = np.einsum("bi,iu->bu", normalized, dense.kernel) + dense.bias
    np.testing.assert_allclose(dense(bn(x)), expected, atol=1e-12)
    np.testing.assert_allclose(fold_into_next(bn, dense)(x), expected, atol=1e-12)


@given(seeds, widths, widths, widths)
def test_two_layers_without_activation_are_one(seed: int, inputs: int, hidden: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    first, second, x = random_dense(rng, inputs, hidden), random_dense(rng, hidden, units), rng.normal(size=(5, inputs))
    np.testing.assert_allclose(merge_dense(first, second)(x), second(first(x)), atol=1e-11)
