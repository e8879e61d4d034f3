"""Which units and steps are drawn, how steps are titled, and which runs have exploded."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.distributions import bands_figure
from bnlab.charts.histograms import histogram_figure, histogram_frame, histogram_range
from bnlab.charts.snapshots import EXPLOSION_LIMIT, evenly_spaced, exploded_runs, label_positions, step_text
from tests.charts.snapshots import STYLES, assert_drawable, limits, snapshots_of


@given(st.integers(1, 3000), st.integers(2, 300))
def test_evenly_spaced_includes_both_ends(count: int, max_count: int) -> None:
    positions = evenly_spaced(count, max_count).tolist()
    assert positions[0] == 0
    assert positions[-1] == count - 1
    assert len(positions) == min(count, max_count)
    gaps = {b - a for a, b in pairwise(positions)}
    assert not gaps or (min(gaps) >= 1 and max(gaps) - min(gaps) <= 1)


def test_evenly_spaced_of_none() -> None:
    assert evenly_spaced(0, 10).size == 0


def test_step_text() -> None:
    assert [step_text(step, 1719) for step in (0, 41, 1719, 17190)] == ["start", "step 41", "epoch 1", "epoch 10"]


def test_labels_mark_the_start_the_first_epoch_and_the_end() -> None:
    steps = [0, 1, 2, 4, 9, 20, 41, 87, 184, 387, 816, *range(1719, 17191, 1719)]
    assert [step_text(steps[i], 1719) for i in label_positions(steps, 1719)] == ["start", "epoch 1", "epoch 10"]


@given(st.lists(st.integers(0, 500), min_size=1, unique=True).map(sorted), st.integers(1, 100))
def test_labels_are_distinct_and_include_both_ends(steps: list[int], per_epoch: int) -> None:
    positions = label_positions(steps, per_epoch)
    assert positions[0] == 0
    assert positions[-1] == len(steps) - 1
    assert positions == sorted(set(positions))


sizes = st.floats(width=32) | st.sampled_from([EXPLOSION_LIMIT, 2 * EXPLOSION_LIMIT, -1e30])


@given(st.dictionaries(st.integers(), st.lists(sizes, max_size=4), max_size=4))
def test_not_all_runs_count_as_exploded(values: dict[int, list[float]]) -> None:
    exploded = exploded_runs({run: np.array(array, np.float64) for run, array in values.items()})
    drawable = {run for run, array in values.items() if any(map(math.isfinite, array))}
    assert exploded <= drawable
    assert not drawable or exploded < drawable
    if exploded:
        beyond = {run for run in drawable if max(abs(x) for x in values[run] if math.isfinite(x)) > EXPLOSION_LIMIT}
        assert exploded == beyond


def frame_of(*values: float) -> pd.DataFrame:
    columns = {name: [*values] for name in ("p5", "p15", "p50", "p85", "p95")}
    return pd.DataFrame({"epoch": range(len(values)), **columns})


@pytest.mark.parametrize(("other", "low", "high"), [((1, 3), 1, 3), ((2, 2), 2, 2), ((1, math.nan, 3), 1, 3)])
def test_range_of_bands_leaves_out_exploded_runs(other: tuple[float, ...], low: float, high: float) -> None:
    figure = bands_figure("gamma", {"a1": frame_of(*other), "b2": frame_of(1, -1e30)}, STYLES)
    assert_drawable(figure)
    assert low - 1 < limits(figure.layout.yaxis)[0] < low
    assert high < limits(figure.layout.yaxis)[1] < high + 1
    alone = bands_figure("gamma", {"b2": frame_of(1, -1e30)}, STYLES)
    assert alone.layout.yaxis.autorange is None


def test_range_of_histograms_leaves_out_exploded_runs() -> None:
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
