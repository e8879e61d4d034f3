"""Runs that leave the axes, so that the others are seen."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.distributions import bands_figure
from bnlab.charts.histograms import histogram_figure, histogram_frame, histogram_range
from bnlab.charts.snapshots import EXPLOSION_LIMIT, exploded_runs
from tests.charts.snapshots import STYLES, assert_drawable, snapshots_of

sizes = st.floats(width=32) | st.sampled_from([EXPLOSION_LIMIT, 2 * EXPLOSION_LIMIT, -1e30])


@given(st.dictionaries(st.integers(), st.lists(sizes, max_size=4), max_size=4))
def test_some_run_is_always_left_to_draw_the_axis_for(values: dict[int, list[float]]) -> None:
    exploded = exploded_runs({run: np.array(own, np.float64) for run, own in values.items()})
    drawable = {run for run, own in values.items() if any(map(math.isfinite, own))}
    assert exploded <= drawable
    assert not drawable or exploded < drawable
    if exploded:
        beyond = {run for run in drawable if max(abs(x) for x in values[run] if math.isfinite(x)) > EXPLOSION_LIMIT}
        assert exploded == beyond


def frame_of(*values: float) -> pd.DataFrame:
    columns = {name: [*values] for name in ("p5", "p15", "p50", "p85", "p95")}
    return pd.DataFrame({"epoch": range(len(values)), **columns})


@pytest.mark.parametrize(("other", "low", "high"), [((1, 3), 1, 3), ((2, 2), 2, 2), ((1, math.nan, 3), 1, 3)])
def test_bands_keep_to_the_runs_that_have_not_exploded(other: tuple[float, ...], low: float, high: float) -> None:
    figure = bands_figure("gamma", {"a1": frame_of(*other), "b2": frame_of(1, -1e30)}, STYLES)
    assert_drawable(figure)
    assert low - 1 < figure.layout.yaxis.range[0] < low
    assert high < figure.layout.yaxis.range[1] < high + 1
    alone = bands_figure("gamma", {"b2": frame_of(1, -1e30)}, STYLES)
    assert alone.layout.yaxis.range is None


def test_histograms_keep_to_the_runs_that_have_not_exploded() -> None:
    snapshots = [snapshots_of({"gamma": [[1, 2, 3]]}, [0]), snapshots_of({"gamma": [[1e30, -1e30, 2]]}, [0])]
    low, high = histogram_range(snapshots, "gamma")
    assert 0 < low < 1
    assert 3 < high < 4
    drawn = {"a1": np.array([1, 2, 3], np.float32), "b2": np.array([1e30, -1e30, 2], np.float32)}
    frame = histogram_frame(drawn, (low, high))
    assert frame["left"].min() == 1
    assert frame["right"].max() == 3
    assert frame.groupby("run")["share"].sum().to_dict() == pytest.approx({"a1": 1, "b2": 1 / 3})
    assert_drawable(histogram_figure(frame, "gamma", STYLES, (low, high)))
