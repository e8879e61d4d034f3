"""Moving statistics filling up, against the sum that the recursion comes to."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.explanations.momentum import moving_alt, moving_figure, moving_frame, weight_alt, weight_figure
from tests.charts.explanations.figures import assert_says, assert_sound


@given(st.floats(0, 0.999), st.integers(1, 60))
def test_the_recursion_is_a_weighted_sum(momentum: float, steps: int) -> None:
    frame = moving_frame(momentum, steps)
    weights = (1 - momentum) * momentum ** np.arange(steps)[::-1]
    for name, initial in (("mean", 0), ("variance", 1)):
        expected = momentum**steps * initial + weights @ frame[f"batch_{name}"].to_numpy()[1:]
        assert frame[f"moving_{name}"].iloc[-1] == pytest.approx(expected)
    np.testing.assert_allclose(frame["initial_weight"], [momentum**n for n in range(steps + 1)])


def test_first_row_has_initial_values_and_no_batch() -> None:
    first = moving_frame().iloc[0]
    assert (first["moving_mean"], first["moving_variance"], first["initial_weight"]) == (0, 1, 1)
    assert np.isnan(first[["batch_mean", "batch_variance"]]).all()


def test_weights_on_the_page_for_momentum_0_99() -> None:
    weight = moving_frame(0.99, 300)["initial_weight"]
    assert (round(weight[100], 2), round(weight[235], 2)) == (0.37, 0.09)


@pytest.mark.parametrize("momentum", [0, 0.99, 0.999])
def test_figures(momentum: float) -> None:
    frame = moving_frame(momentum, 40)
    moving, weight = moving_figure(frame), weight_figure(frame)
    assert_sound(moving)
    assert_sound(weight)
    by_uid = {trace.uid: trace for trace in moving.data}
    assert set(by_uid) == {"batch_mean", "batch_variance", "moving_mean", "moving_variance"}
    for uid, trace in by_uid.items():
        np.testing.assert_array_equal(trace.y, frame[uid])
    np.testing.assert_array_equal(weight.data[0].y, frame["initial_weight"])


def test_moving_and_weight_alt() -> None:
    frame = moving_frame(0.99, 100)
    assert weight_alt(frame) == "After 100 steps the initial value still weighs 36.6 %."
    assert f"moving_mean {frame['moving_mean'].iloc[-1]:.2f} (from 0, towards 3)" in moving_alt(frame)
    assert "(from 1, towards 5.81, which is 31/32 of 6: what a batch of 32 has on average)" in moving_alt(frame)


def test_moving_variance_converges_to_the_value_on_the_page() -> None:
    assert moving_frame(0.999, 200_000)["moving_variance"].iloc[-50_000:].mean() == pytest.approx(5.81, abs=0.02)


def test_message_without_steps() -> None:
    nothing: pd.DataFrame = moving_frame().iloc[:0]
    for figure in (moving_figure(nothing), weight_figure(nothing)):
        assert_says(figure, "No steps")
    assert moving_alt(nothing) == weight_alt(nothing) == "No steps."
