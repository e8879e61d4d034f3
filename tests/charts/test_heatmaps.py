"""Heat maps and images of a normalization layer's variables."""

import itertools
import math

import numpy as np
import pytest

from bnlab.charts.distributions import INITIAL_VALUES, VARIABLE_TITLES
from bnlab.charts.heatmaps import (
    MAX_EVALUATIONS,
    MAX_UNITS,
    deviation_limit,
    deviations,
    heat_map_alt,
    heat_map_figure,
    heat_map_frame,
    image_alt,
    image_figure,
    image_frame,
)
from tests.charts.snapshots import assert_drawable, snapshots_of, texts
from tests.slow import all_but_one_slow


def test_units_are_sorted_by_their_last_value() -> None:
    frame = heat_map_frame(snapshots_of({"gamma": [[1, 1, 1], [3, 1, 2]]}, [0, 7]), "gamma")
    assert frame.index.tolist() == [1, 2, 0]
    assert frame.columns.tolist() == [0, 7]
    assert frame[7].tolist() == [1, 2, 3]
    assert frame[0].tolist() == [1, 1, 1]


def test_large_heat_maps_are_thinned_and_keep_the_evaluations_with_the_extremes() -> None:
    values = np.random.default_rng(0).normal(size=(300, 784))
    values[[101, 202], [7, 9]] = [-20, 20]
    snapshots = snapshots_of({"beta": values.tolist()}, list(range(300)))
    frame = heat_map_frame(snapshots, "beta")
    assert len(frame) == MAX_UNITS
    assert len(frame.columns) <= MAX_EVALUATIONS + 4
    assert {0, 101, 202, 299} <= set(frame.columns)
    assert frame.index[0] == values[-1].argmin()
    assert frame.index[-1] == values[-1].argmax()
    np.testing.assert_allclose(
        frame, values.T[np.ix_(frame.index.to_numpy(int), frame.columns.to_numpy(int))], rtol=1e-6
    )


@pytest.mark.parametrize("variable", VARIABLE_TITLES)
def test_initial_values_have_no_color(variable: str) -> None:
    assert not deviations(variable, np.full((3, 2), INITIAL_VALUES[variable], np.float32)).any()
    assert deviation_limit(variable, np.full(3, INITIAL_VALUES[variable], np.float32)) == 1


def test_a_variance_is_colored_by_its_decades() -> None:
    decades = deviations("moving_variance", np.array([1, 100, 0.1, 0, 1e30], np.float32))
    np.testing.assert_allclose(decades, [0, 2, -1, -4, 4], atol=1e-6)


@pytest.mark.parametrize(
    ("variable", "worst"),
    all_but_one_slow(itertools.product(VARIABLE_TITLES, [math.inf, 1.5, 1e-7, 1e30, math.nan, -math.inf])),
)
def test_any_recorded_value_can_be_drawn(variable: str, worst: float) -> None:
    start = INITIAL_VALUES[variable]
    frame = heat_map_frame(snapshots_of({variable: [[start] * 3, [start, worst, start]]}, [0, 5]), variable)
    figure = heat_map_figure(frame, variable, 10)
    assert_drawable(figure)
    drawn = {trace.uid: trace for trace in figure.data}
    assert ("lost" in drawn) == (not math.isfinite(worst)), "what is no number is grey, not clear"
    assert drawn["cells"].x[1] == "step 5"
    assert drawn["cells"].zmin == -drawn["cells"].zmax, "the clear color is the initial value"
    assert len(figure.layout.yaxis2.ticktext) == 5


def test_alt_has_the_shares_above_and_below() -> None:
    frame = heat_map_frame(snapshots_of({"gamma": [[1, 1, 1, 1], [0.5, 1, 2, 3]]}, [0, 5]), "gamma")
    assert heat_map_alt(frame, "gamma", "bn_1") == "gamma of bn_1: 50% of the units are above the initial 1, 25% below."


def test_message_where_nothing_is_recorded() -> None:
    frame = heat_map_frame(snapshots_of({}, []), "gamma")
    assert texts(heat_map_figure(frame, "gamma", 10)) == ["Nothing to show"]
    assert heat_map_alt(frame, "gamma", "bn_1") == "gamma of bn_1: nothing to show."


PIXELS = [float(pixel) for pixel in range(6)]


def test_image_has_rows_and_columns() -> None:
    snapshots = snapshots_of({"moving_mean": [[0] * 6, PIXELS]}, [0, 9])
    frame = image_frame(snapshots, "moving_mean", 12, (2, 3))
    np.testing.assert_array_equal(frame, [[0, 1, 2], [3, 4, 5]])
    assert not image_frame(snapshots, "moving_mean", 8, (2, 3)).to_numpy().any(), "the moment before"
    figure = image_figure(frame, "moving_mean", 5)
    assert figure.layout.yaxis.autorange == "reversed", "the first row is on top"
    assert image_alt(frame, "moving_mean", "bn_input") == (
        "moving mean of bn_input as a picture of 2 × 3 pixels: from 0 to 5."
    )


@pytest.mark.parametrize(
    ("variable", "worst"), all_but_one_slow(itertools.product(VARIABLE_TITLES, [math.inf, 0.5, math.nan]))
)
def test_any_recorded_value_can_be_drawn_as_an_image(variable: str, worst: float) -> None:
    frame = image_frame(snapshots_of({variable: [[worst] * 6]}, [0]), variable, 0, (2, 3))
    assert_drawable(image_figure(frame, variable, 1.0))
    assert image_alt(frame, variable, "bn_input").endswith(".")


def test_message_where_no_image_is_recorded() -> None:
    frame = image_frame(snapshots_of({}, []), "gamma", 0, (2, 3))
    assert texts(image_figure(frame, "gamma", 1.0)) == ["Nothing to show"]
    assert image_alt(frame, "gamma", "bn_input") == "gamma of bn_input: nothing to show."
