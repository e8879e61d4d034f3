"""A bias in front of BN is redundant, and matters where an activation stands between."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.explanations.placement import BIASES, FUNCTIONS, bias_alt, bias_figure, bias_frame, dense_values
from tests.charts.explanations.figures import assert_says, assert_sound

DENSE = dense_values()[:40, :5]


@given(st.floats(-100, 100), st.sampled_from(sorted(FUNCTIONS)))
def test_directly_before_bn_it_changes_nothing(bias: float, activation: str) -> None:
    assert bias_frame(DENSE, activation, np.array([bias]))["before"].iloc[0] < 1e-10


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
def test_through_an_activation_it_does_unless_that_is_linear(activation: str) -> None:
    frame = bias_frame(DENSE, activation, np.array([-0.5, 0, 0.5]))
    assert frame["after"].iloc[1] == 0
    assert (frame["after"].iloc[[0, 2]] > 0.01).all() == (activation != "linear")


def test_after_the_activation_by_hand() -> None:
    values = np.array([[-1.0], [1.0]])
    normalized = 0.5 / np.sqrt(0.25 + 1e-3), 1 / np.sqrt(1 + 1e-3)  # relu gives 0, 1 and, with the bias, 0 + 0, 2
    frame = bias_frame(values, "relu", np.array([1.0]))
    assert frame["after"].iloc[0] == pytest.approx(normalized[1] - normalized[0])


def test_a_line_an_order_and_the_bias_marked() -> None:
    frame = bias_frame(DENSE, "relu")
    figure = bias_figure(frame, 1.5)
    assert_sound(figure)
    for trace in figure.data:
        np.testing.assert_array_equal(trace.x, BIASES)
        np.testing.assert_array_equal(trace.y, frame[trace.uid])
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 1.5


def test_words() -> None:
    frame = bias_frame(DENSE, "relu")
    assert f"by up to {frame['after'].max():.2g}" in bias_alt(frame)


def test_no_bias_is_a_sentence() -> None:
    nothing = bias_frame(DENSE, "relu", np.array([]))
    assert_says(bias_figure(nothing, 0), "No bias")
    assert bias_alt(nothing) == "No bias."
