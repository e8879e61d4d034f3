"""Shares by NumPy's histogram."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bnlab.charts.histograms import (
    BINS,
    histogram_alt,
    histogram_figure,
    histogram_frame,
    histogram_range,
    histogram_values,
)
from tests.charts.snapshots import STYLES, assert_drawable, limits, snapshots_of, texts

values = arrays(np.float32, st.integers(1, 40), elements=st.floats(-1e6, 1e6, width=32))


@given(values, values)
def test_shares_in_bins_common_to_all_runs(first: np.ndarray, second: np.ndarray) -> None:
    frame = histogram_frame({"a1": first, "b2": second})
    together = np.concatenate([first, second]).astype(np.float64)
    for run, recorded in (("a1", first), ("b2", second)):
        counts, edges = np.histogram(recorded, BINS, (together.min(), together.max()))
        shown = frame[frame["run"] == run]
        np.testing.assert_allclose(shown["share"], counts / len(recorded))
        np.testing.assert_allclose(shown["left"], edges[:-1])
        np.testing.assert_allclose(shown["right"], edges[1:])


@pytest.mark.parametrize("recorded", [[1, 1, 1], [1, math.nan], [math.inf], [-3e38, 3e38], [1e-30, 2e-30]])
def test_any_recorded_value_can_be_drawn(recorded: list[float]) -> None:
    snapshots = {"a1": snapshots_of({"gamma": [recorded]}, [0])}
    drawn = histogram_values(snapshots, "gamma", {"a1": 3})
    figure = histogram_figure(
        histogram_frame(drawn), "gamma", STYLES, histogram_range(list(snapshots.values()), "gamma")
    )
    assert_drawable(figure)
    assert histogram_alt(drawn, "gamma", "bn_1", STYLES).endswith(".")


def test_values_that_are_not_finite_are_in_no_bin() -> None:
    frame = histogram_frame({"a1": np.array([1, math.nan], np.float32)})
    assert frame["share"].sum() == 0.5


def test_the_axis_spans_the_whole_training() -> None:
    snapshots = [snapshots_of({"beta": [[0, 0], [-1, 4], [1, 2]]}, [0, 1, 2])]
    low, high = histogram_range(snapshots, "beta")
    assert low < -1 < 4 < high
    assert high - low < 6


def test_outlines_end_at_zero() -> None:
    frame = histogram_frame({"a1": np.arange(5, dtype=np.float32), "b2": np.zeros(2, np.float32)})
    figure = histogram_figure(frame, "beta", STYLES, (-1, 5))
    assert [(trace.uid, trace.name) for trace in figure.data] == [("a1", "With BN"), ("b2", "Without")]
    for trace in figure.data:
        assert trace.y[[0, -1]].tolist() == [0, 0]
        assert (np.diff(trace.x) >= 0).all()
        assert trace.line.shape == "hv"
    assert limits(figure.layout.xaxis) == (-1, 5)


def test_message_where_no_run_has_numbers() -> None:
    frame = histogram_frame({"a1": np.empty(0, np.float32)})
    pd.testing.assert_index_equal(frame.columns, pd.Index(["run", "left", "right", "share"]))
    assert texts(histogram_figure(frame, "beta", STYLES, (0, 1))) == ["Not finite at this evaluation"]


def test_alt_has_mean_and_deviation() -> None:
    alt = histogram_alt({"a1": np.array([1, 3], np.float32)}, "gamma", "bn_1", STYLES)
    assert alt == "gamma over the units of bn_1: With BN mean 2, standard deviation 1."
