"""Names at the ends of lines."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.curve_settings import CurveSettings
from bnlab.charts.line_labels import GAP, LARGEST_MARGIN, label_margin, spread
from bnlab.charts.style import styles_of
from bnlab.ui.compare.curves import HEIGHT
from tests.charts.curve_lines import LABELS, STYLES, VAL_LOSS, curve_figure, line, lines

PROJECTED = CurveSettings(projector=True)


@given(st.lists(st.floats(-1e4, 1e4), max_size=8), st.floats(1, 50))
def test_positions_are_apart_in_their_order_and_moved_around_their_mean(positions: list[float], gap: float) -> None:
    moved = spread(positions, gap)
    order = sorted(range(len(positions)), key=positions.__getitem__)
    distances = np.diff([moved[index] for index in order])
    assert (distances >= gap * (1 - 1e-9) - 1e-6).all()
    assert math.fsum(moved) == pytest.approx(math.fsum(positions), abs=1e-6)
    if all(np.diff(sorted(positions)) >= gap):
        assert moved == positions


def test_positions_that_are_apart_stay_and_equal_ones_are_moved_alike() -> None:
    assert spread([0, 100, 50], 30) == [0, 100, 50]
    assert spread([10, 10], 30) == [-5, 25]
    assert spread([0, 10, 20, 200], 30) == [-20, 10, 40, 200]


@pytest.mark.parametrize("log", [False, True])
def test_names_stand_at_the_ends_of_their_lines_apart_from_each_other(log: bool) -> None:
    settings = CurveSettings(projector=True, log_x=log, log_y=log)
    figure = curve_figure(lines(VAL_LOSS, [2.0, 1.0, 0.5], [2.0, 0.8, 0.501]), STYLES, VAL_LOSS, settings)
    first, second = figure.layout.annotations
    assert [first.text, second.text] == LABELS
    assert [first.font.color, second.font.color] == [STYLES[label].color for label in LABELS]
    end = np.array([0.2, 0.5])  # epochs, loss
    np.testing.assert_allclose([first.x, first.y], np.log10(end) if log else end, rtol=1e-6)
    assert second.yshift - first.yshift == pytest.approx(GAP, abs=3), "the second one ends higher, by less than a px"
    assert figure.layout.margin.r == label_margin(LABELS) > 100


def test_names_do_not_touch_in_the_lowest_plot() -> None:
    ends = np.arange(0, 2.3, 0.19)
    names = [f"network {number}" for number in range(len(ends))]
    series = {name: line(VAL_LOSS, [2.3, end]) for name, end in zip(names, ends, strict=True)}
    figure = curve_figure(series, styles_of(names), VAL_LOSS, PROJECTED)
    low, high = (figure.layout.yaxis.autorangeoptions[name] for name in ("minallowed", "maxallowed"))
    lowest = HEIGHT - figure.layout.margin.t - figure.layout.margin.b - 30  # less what the axis grows by
    for height in (lowest, 2 * lowest):
        positions = [(note.y - low) / (high - low) * height + note.yshift for note in figure.layout.annotations]
        assert (np.diff(positions) >= GAP - 1).all()


def test_without_a_projector_there_are_no_names_and_a_line_without_points_has_none() -> None:
    figure = curve_figure(lines(VAL_LOSS, [2.0, 1.0], [2.0, 0.8]), STYLES, VAL_LOSS, CurveSettings())
    assert not figure.layout.annotations
    figure = curve_figure(lines(VAL_LOSS, [2.0, 1.0], []), STYLES, VAL_LOSS, PROJECTED)
    assert [annotation.text for annotation in figure.layout.annotations] == LABELS[:1]


def test_a_line_that_leaves_the_axis_has_its_name_at_the_edge() -> None:
    series = lines(VAL_LOSS, [2.0, 1.0, 0.5], [2.0, 1e6, 1e9])
    figure = curve_figure(series, STYLES, VAL_LOSS, PROJECTED)
    limit = figure.layout.yaxis.autorangeoptions.maxallowed
    assert [annotation.y for annotation in figure.layout.annotations] == pytest.approx([0.5, limit])


def test_hostile_names_are_text_and_long_ones_have_a_limit() -> None:
    name = "<b>x</b>" * 5
    figure = curve_figure({name: line(VAL_LOSS, [2.0, 1.0])}, styles_of([name]), VAL_LOSS, PROJECTED)
    assert "<b>" not in figure.layout.annotations[0].text
    assert label_margin([name]) == LARGEST_MARGIN
    assert label_margin([]) < label_margin(["A"])
