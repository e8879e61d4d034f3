"""One feature's batch: the stages by NumPy, the figure by its traces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.explanations.batch import STAGES, batch_alt, batch_figure, batch_frame, sample_batch
from tests.charts.explanations.figures import assert_says, assert_sound

values_of_a_batch = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=32).map(np.array)


@given(values_of_a_batch, st.floats(-2, 3), st.floats(-4, 4), st.floats(1e-7, 1))
def test_stages_agree_with_numpy(values: np.ndarray, gamma: float, beta: float, epsilon: float) -> None:
    frame = batch_frame(values, gamma, beta, epsilon)
    centred = values - np.mean(values)
    normalized = centred / np.sqrt(np.var(values) + epsilon)
    np.testing.assert_array_equal(frame["x"], values)
    np.testing.assert_allclose(frame["centred"], centred)
    np.testing.assert_allclose(frame["normalized"], normalized)
    np.testing.assert_allclose(frame["y"], gamma * normalized + beta)
    assert_sound(batch_figure(frame))


def test_a_batch_of_one_is_beta() -> None:
    frame = batch_frame(np.array([7.0]), gamma=3, beta=-2)
    assert frame.iloc[0].tolist() == [7, 0, 0, -2]


def test_a_large_epsilon_keeps_a_small_spread_small() -> None:
    values = sample_batch(32, mean=3, std=0.001, seed=0)
    assert batch_frame(values, epsilon=1e-3)["normalized"].std(ddof=0) < 0.05
    assert batch_frame(values, epsilon=1e-12)["normalized"].std(ddof=0) == pytest.approx(1, abs=1e-4)


def test_batches_share_examples_and_only_the_first_is_moved() -> None:
    small, large = sample_batch(3, 1, 2, seed=5), sample_batch(8, 1, 2, seed=5)
    assert small.tolist() == large[:3].tolist()
    assert (sample_batch(3, 1, 2, seed=5, moved=4) - small).round(12).tolist() == [4, 0, 0]


def test_each_example_is_a_path_through_all_stages() -> None:
    frame = batch_frame(np.array([1.0, 2.0, 9.0]))
    others, first, spread = batch_figure(frame).data
    assert first.x[: len(STAGES)].tolist() == frame.iloc[0].tolist()
    assert others.x.reshape(2, -1)[:, : len(STAGES)].tolist() == frame.iloc[1:].to_numpy().tolist()
    assert np.isnan(others.x.reshape(2, -1)[:, -1]).all()
    np.testing.assert_allclose(spread.x, frame.mean())
    np.testing.assert_allclose(spread.error_x.array, frame.std(ddof=0))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_values_that_are_not_finite_can_be_drawn(bad: float) -> None:
    assert_sound(batch_figure(batch_frame(np.array([1.0, bad]))))


def test_message_for_an_empty_batch() -> None:
    assert_says(batch_figure(batch_frame(np.array([]))), "An empty batch has no mean")
    assert batch_alt(batch_frame(np.array([]))) == "An empty batch has no mean."


def test_alt_has_mean_and_deviation_of_each_stage() -> None:
    alt = batch_alt(batch_frame(np.array([1.0, 5.0]), gamma=2, beta=1, epsilon=1e-12))
    assert alt == (
        "2 values with mean 3 and standard deviation 2; normalized, mean 0 and standard deviation 1; "
        "after gamma and beta, mean 1 and standard deviation 2."
    )
