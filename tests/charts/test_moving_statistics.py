"""The chart of moving against batch statistics: what inference leaves of each unit's mean and deviation."""

import numpy as np
import pytest

from bnlab.charts.moving_statistics import (
    QUANTITIES,
    moving_statistics_alt,
    moving_statistics_figure,
    moving_statistics_frame,
)
from bnlab.specs.run_spec import RunSpec
from tests.charts.snapshots import STYLES, assert_drawable, snapshots_of, texts

SPEC = RunSpec(placement="before_activation", train_examples=320)  # ten steps in an epoch
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(3.0, 2.0, (5_000, 7)) * np.arange(1, 8)
"""Of one layer with seven units."""


def snapshots(moving_mean: np.ndarray, moving_variance: np.ndarray) -> object:
    values = {
        "moving_mean": [list(moving_mean)],
        "moving_variance": [list(moving_variance)],
        "reestimated_mean": [list(INPUTS.mean(0))],
        "reestimated_variance": [list(INPUTS.var(0))],
    }
    return snapshots_of(values, [5])


def test_the_quantities_are_what_inference_makes_of_the_inputs() -> None:
    mean, variance = RNG.normal(size=7), RNG.uniform(0.5, 2, 7)
    frame = moving_statistics_frame(snapshots(mean, variance), SPEC).set_index("quantity")  # type: ignore[arg-type]
    normalized = (INPUTS - mean) / np.sqrt(variance + SPEC.epsilon)
    assert frame["epoch"].tolist() == [0.5, 0.5]
    assert frame.loc["mean", "p50"] == pytest.approx(np.median(normalized.mean(0)), rel=1e-4)
    # ε is added to the batch's variance too, as in training.
    expected = np.sqrt(normalized.var(0) + SPEC.epsilon / (variance + SPEC.epsilon))
    assert frame.loc["deviation", "p50"] == pytest.approx(np.median(expected), rel=1e-4)


def test_equal_statistics_leave_0_and_1() -> None:
    frame = moving_statistics_frame(snapshots(INPUTS.mean(0), INPUTS.var(0)), SPEC).set_index("quantity")  # type: ignore[arg-type]
    np.testing.assert_allclose(frame.loc["mean", ["p5", "p95"]].astype(float), 0, atol=1e-6)
    np.testing.assert_allclose(frame.loc["deviation", ["p5", "p95"]].astype(float), 1, atol=1e-6)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_run_without_these_records_is_left_out_and_alone_gives_a_line(quantity: str) -> None:
    recorded = moving_statistics_frame(snapshots(INPUTS.mean(0), INPUTS.var(0)), SPEC)  # type: ignore[arg-type]
    without = moving_statistics_frame(snapshots_of({"moving_mean": [[0.0]], "moving_variance": [[1.0]]}, [0]), SPEC)
    figure = moving_statistics_figure({"a1": recorded, "b2": without}, quantity, STYLES)
    assert_drawable(figure)
    assert {trace.uid.split("-")[0] for trace in figure.data} == {"a1"}
    assert "With BN" in moving_statistics_alt({"a1": recorded}, quantity, "bn_1", STYLES)
    empty = moving_statistics_figure({"b2": without}, quantity, STYLES)
    assert not empty.data
    (message,) = texts(empty)
    assert "Evaluate with" in message


def test_normalizers_without_moving_statistics_have_no_rows() -> None:
    layer = SPEC.model_copy(update={"normalizer": "layer_normalization"})
    assert moving_statistics_frame(snapshots_of({"gamma": [[1.0, 1.0]]}, [0]), layer).empty
