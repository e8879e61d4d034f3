"""Training mode against inference mode."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.explanations.modes import MEAN, STD, modes_alt, modes_figure, modes_frame
from tests.charts.explanations.figures import assert_says, assert_sound


@given(st.floats(-4, 8), st.integers(1, 256))
def test_inference_mode_has_one_output(value: float, size: int) -> None:
    frame = modes_frame(value, size)
    np.testing.assert_allclose(frame["inference"], (value - MEAN) / np.sqrt((size - 1) / size * STD**2 + 1e-3))


@pytest.mark.parametrize("size", [1, 2, 8])
def test_inference_mode_uses_the_average_batch_variance(size: int) -> None:
    rng = np.random.default_rng(1)
    variance = (MEAN + STD * rng.standard_normal((200_000, size))).var(axis=1).mean()
    np.testing.assert_allclose(modes_frame(5, size)["inference"], (5 - MEAN) / np.sqrt(variance + 1e-3), rtol=0.01)


def test_training_mode_uses_each_batchs_statistics() -> None:
    frame = modes_frame(5, 4, batches=3, seed=7)
    noise = np.random.default_rng(7).standard_normal((3, 255))
    for output, row in zip(frame["training"], noise, strict=True):
        batch = np.array([5, *(MEAN + STD * row[:3])])
        assert output == pytest.approx((5 - batch.mean()) / np.sqrt(batch.var() + 1e-3))


def test_smaller_batches_are_noisier() -> None:
    spreads = [modes_frame(4, size)["training"].std() for size in (4, 16, 64, 256)]
    assert spreads == sorted(spreads, reverse=True)
    assert modes_frame(4, 1)["training"].tolist() == [0] * 30
    np.testing.assert_allclose(modes_frame(4, 2)["training"].abs(), 1, atol=0.2)


@pytest.mark.parametrize("value", [-4, 2, 8])
@pytest.mark.parametrize("size", [1, 2, 8])
def test_one_line_per_mode(size: int, value: float) -> None:
    frame = modes_frame(value, size)
    figure = modes_figure(frame)
    assert frame["inference"].abs().max() < figure.layout.yaxis.range[1]
    assert [trace.uid for trace in figure.data] == ["inference", "training"]
    assert_sound(figure)


def test_modes_alt() -> None:
    frame = modes_frame(4, 8)
    low, high = frame["training"].min(), frame["training"].max()
    assert f"between {low:.2f} and {high:.2f}" in modes_alt(frame)
    assert modes_alt(frame).endswith(f"always as {2 / np.sqrt(7 / 8 * 4 + 1e-3):.2f}.")
    alone = modes_alt(modes_frame(4, 1))
    assert "comes out as 0.00 in training mode; in inference mode as 63.25: moving_variance has come to 0" in alone


def test_message_without_batches() -> None:
    assert_says(modes_figure(modes_frame(4, 8, batches=0)), "No batches")
    assert modes_alt(modes_frame(4, 8, batches=0)) == "No batches."
