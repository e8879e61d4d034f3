"""A hidden layer's values by the placement of BN, and the effect of a bias."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.explanations.placement import (
    BIASES,
    COLUMNS,
    FUNCTIONS,
    bias_alt,
    bias_figure,
    bias_frame,
    dense_values,
    stage_values,
    stages_alt,
    stages_figure,
    stages_frame,
)
from bnlab.specs.choices import ACTIVATIONS, PLACEMENTS
from tests.charts.explanations.figures import assert_says, assert_sound

ORDERS = {
    "none": ["Dense", "activation"],
    "before_activation": ["Dense", "BN", "activation"],
    "after_activation": ["Dense", "activation", "BN"],
}


def test_the_choices_are_bnlabs() -> None:
    assert set(ORDERS) == set(PLACEMENTS)
    assert set(FUNCTIONS) <= set(ACTIVATIONS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", [0, 0, 2]),
        ("leaky_relu", [-0.6, 0, 2]),
        ("sigmoid", [0.11920292, 0.5, 0.88079708]),
        ("tanh", [-0.96402758, 0, 0.96402758]),
        ("linear", [-2, 0, 2]),
    ],
)
def test_activations(name: str, expected: list[float]) -> None:
    np.testing.assert_allclose(FUNCTIONS[name](np.array([-2.0, 0.0, 2.0])), expected, atol=1e-8)


@pytest.mark.parametrize("size", [0.01, 1, 10])
@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_stages(placement: str, activation: str, size: float) -> None:
    stages = stage_values(placement, activation, dense_values(size))
    assert list(stages) == ORDERS[placement]
    frame = stages_frame(stages)
    for name, values in stages.items():
        bins = frame[frame["stage"] == name]
        assert bins["share"].sum() == pytest.approx(1), "every value is in a bin"
        assert bins["mean"].iloc[0] == pytest.approx(np.mean(values))
        assert bins["std"].iloc[0] == pytest.approx(np.std(values))
    figure = stages_figure(frame, activation)
    assert [trace.uid for trace in figure.data] == list(stages)
    assert_sound(figure)


def test_bn_removes_the_scale_of_the_weights() -> None:
    for size in (1, 3, 10):
        assert dense_values(size).std() == pytest.approx(size * dense_values().std())
        normalized = stage_values("before_activation", "relu", dense_values(size))["BN"]
        np.testing.assert_allclose(normalized.mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(normalized.std(axis=0), 1, atol=0.02)


def test_the_column_at_zero_does_not_hide_the_others() -> None:
    stages = stage_values("none", "relu", dense_values())
    figure = stages_figure(stages_frame(stages), "relu")
    column, *others = sorted(figure.data[1].y, reverse=True)
    assert others[0] < figure.layout.yaxis2.range[1] < column


def test_stages_alt() -> None:
    frame = stages_frame({"Dense": np.array([1.0, 3.0]), "activation": np.array([0.0, 1.0])})
    assert stages_alt(frame, "relu") == (
        "Values of a random layer: after Dense mean 2.00, standard deviation 1.00; "
        "after ReLU mean 0.50, standard deviation 0.50."
    )


def test_constant_values_can_be_drawn() -> None:
    assert_sound(stages_figure(stages_frame({"Dense": np.zeros((2, 2))}), "relu"))


def test_message_without_layer() -> None:
    nothing = stages_frame({})
    pd.testing.assert_frame_equal(nothing, pd.DataFrame(columns=COLUMNS))
    assert_says(stages_figure(nothing, "relu"), "No layer")
    assert stages_alt(nothing, "relu") == "No layer."


DENSE = dense_values()[:40, :5]


@given(st.floats(-100, 100), st.sampled_from(sorted(FUNCTIONS)))
def test_bias_directly_before_bn_changes_nothing(bias: float, activation: str) -> None:
    assert bias_frame(DENSE, activation, np.array([bias]))["before"].iloc[0] < 1e-10


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
def test_bias_before_a_nonlinear_activation_changes_the_output(activation: str) -> None:
    frame = bias_frame(DENSE, activation, np.array([-0.5, 0, 0.5]))
    assert frame["after"].iloc[1] == 0
    assert (frame["after"].iloc[[0, 2]] > 0.01).all() == (activation != "linear")


def test_bias_before_the_activation_by_hand() -> None:
    values = np.array([[-1.0], [1.0]])
    normalized = 0.5 / np.sqrt(0.25 + 1e-3), 1 / np.sqrt(1 + 1e-3)  # relu gives 0, 1 and, with the bias, 0 + 0, 2
    frame = bias_frame(values, "relu", np.array([1.0]))
    assert frame["after"].iloc[0] == pytest.approx(normalized[1] - normalized[0])


def test_one_line_per_order_and_the_bias_is_marked() -> None:
    frame = bias_frame(DENSE, "relu")
    figure = bias_figure(frame, 1.5)
    assert_sound(figure)
    for trace in figure.data:
        np.testing.assert_array_equal(trace.x, BIASES)
        np.testing.assert_array_equal(trace.y, frame[trace.uid])
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 1.5


def test_bias_alt() -> None:
    frame = bias_frame(DENSE, "relu")
    assert f"by up to {frame['after'].max():.2g}" in bias_alt(frame)


def test_message_without_bias() -> None:
    nothing = bias_frame(DENSE, "relu", np.array([]))
    assert_says(bias_figure(nothing, 0), "No bias")
    assert bias_alt(nothing) == "No bias."
