"""The axes of loss and accuracy over training."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from bnlab.charts.curves import (
    curve_figure,
)
from bnlab.charts.lines import Curve, Line
from bnlab.charts.style import styles_of
from bnlab.charts.view import X_AXES, View
from tests.charts.curve_lines import (
    ACCURACY,
    INF,
    LABELS,
    LOSS,
    ROUGH,
    STYLES,
    VAL_ACCURACY,
    VAL_LOSS,
    assert_sound,
    backs,
    every_curve,
    line,
    lines,
)


@pytest.mark.parametrize(("x", "places"), [("epoch", [0, 0.1, 0.2]), ("step", [0, 10, 20]), ("seconds", [0, 1, 2])])
def test_what_runs_to_the_right(x: str, places: list[float]) -> None:
    figure = curve_figure(lines(VAL_LOSS, [5, 4, 3]), STYLES, VAL_LOSS, View(x=x))
    np.testing.assert_allclose(figure.data[0].x, places)
    np.testing.assert_allclose(figure.data[0].y, [5, 4, 3])
    assert x in figure.layout.xaxis.title.text


def test_a_logarithmic_axis_has_no_zero() -> None:
    figure = curve_figure(lines(VAL_LOSS, [5, 4, 3]), STYLES, VAL_LOSS, View(log_x=True, log_y=True))
    assert figure.data[0].y.tolist() == [4, 3]
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis.range is None
    assert figure.layout.xaxis.tickformat == figure.layout.yaxis.tickformat == ",~g", "10, 20, 10,000: one form for all"
    accuracy = curve_figure(lines(VAL_ACCURACY, [0.5, 0.6]), STYLES, VAL_ACCURACY, View(log_y=True))
    assert accuracy.layout.yaxis.type is None


@every_curve
def test_fractions_are_shown_as_percentages(curve: Curve) -> None:
    figure = curve_figure(lines(curve, [0.5, 0.6]), STYLES, curve, View())
    assert ("%" in (figure.layout.yaxis.tickformat or "")) == curve.is_fraction
    assert ("%}" in figure.data[-1].hovertemplate) == curve.is_fraction


@pytest.mark.parametrize("curve", [LOSS, VAL_ACCURACY], ids=lambda curve: curve.title)
@pytest.mark.parametrize(("x", "log_x", "log_y"), [*product(X_AXES, [False, True], [False, True])])
def test_plotly_knows_every_axis(curve: Curve, x: str, log_x: bool, log_y: bool) -> None:
    own = {LABELS[0]: line(curve, [0.9] * 12, [0.8] * 12), LABELS[1]: line(curve, [0.7] * 12)}
    assert_sound(curve_figure(own, STYLES, curve, View(x=x, log_x=log_x, log_y=log_y)))


def test_a_zoom_is_kept_until_the_axes_mean_something_else() -> None:
    def revision(curve: Curve, **view: object) -> str:
        return str(curve_figure(lines(curve, [1, 2], [2]), STYLES, curve, View(**view)).layout.uirevision)

    assert revision(LOSS) == revision(LOSS, smoothing=0.9, singles=True, projector=True)
    differing = {"differences": True, "baseline": LABELS[0]}
    others: list[dict[str, object]] = [{}, {"x": "step"}, {"log_x": True}, {"log_y": True}, differing]
    assert len({revision(LOSS, **other) for other in others}) == len(others)
    assert revision(LOSS) != revision(ACCURACY)
    assert revision(ACCURACY) == revision(ACCURACY, log_y=True), "which concerns losses alone"


def range_of(curve: Curve, own: dict[str, Line], view: View = ROUGH) -> tuple[float, float]:
    low, high = curve_figure(own, STYLES, curve, view).layout.yaxis.range
    return low, high


def test_the_axis_spans_the_lines_once_the_first_steep_fall_is_over() -> None:
    falling = [9, 3, 0.5, *[0.4] * 46, 0.3]
    low, high = range_of(LOSS, lines(LOSS, falling))
    assert 0 <= low < 0.3
    assert 3 < high < 3.3, "from a fifth of an epoch on"
    low, high = range_of(ACCURACY, lines(ACCURACY, [0.1, *[0.5] * 48, 1.0]))
    assert 0.4 < low < 0.5
    assert 1 < high < 1.01


@pytest.mark.parametrize("x", X_AXES)
def test_the_first_steps_are_on_a_logarithmic_axis(x: str) -> None:
    falling = [9, 3, 0.5, *[0.02] * 47]
    assert range_of(LOSS, lines(LOSS, falling), View(smoothing=0, x=x, log_x=True))[1] > 9
    assert range_of(LOSS, lines(LOSS, falling), View(smoothing=0, x=x))[1] < 9


def test_of_a_short_run_all_is_shown_and_nothing_jumps_while_a_long_one_grows() -> None:
    falling = [2.3 * 0.9**place for place in range(60)]
    for count in (1, 5, 9, 10, 11, 20):
        low, high = range_of(LOSS, lines(LOSS, falling[:count]))
        assert low < falling[count - 1] <= falling[0] < high, count
    heights = [range_of(LOSS, lines(LOSS, falling[:count]))[1] for count in range(5, 60)]
    assert max(-np.diff(heights)) < 0.25, "at most a point is left out at a time"
    assert heights[-1] < falling[0] < heights[0]


def test_the_band_and_every_seed_are_within_the_axis() -> None:
    own = {LABELS[0]: line(VAL_LOSS, [1.0] * 15, [2.0] * 15, [2.0] * 15)}
    figure = curve_figure(own, STYLES, VAL_LOSS, ROUGH)
    low, high = figure.layout.yaxis.range
    assert low < min(backs(figure, "low")[0].y) < 1.6 < max(backs(figure, "high")[0].y) < high
    assert range_of(VAL_LOSS, own, View(smoothing=0, singles=True))[0] < 1 < low


@pytest.mark.parametrize("count", [8, 15, 60])
@pytest.mark.parametrize("others", [1, 2])
def test_a_line_that_was_never_near_does_not_press_the_others_flat(count: int, others: int) -> None:
    good, bad = line(VAL_LOSS, [2.3, *[0.4] * count]), [line(VAL_LOSS, [90.0, *[1e6] * count]) for _ in range(others)]
    names = [*LABELS, "third"][: 1 + others]
    own = dict(zip(names, [good, *bad], strict=True))
    figure = curve_figure(own, styles_of(names), VAL_LOSS, ROUGH)
    assert figure.layout.yaxis.range[1] < 60
    view = View(smoothing=0, differences=True, baseline=names[0])
    third = line(VAL_LOSS, [2.3, *[0.5] * count])
    differing = curve_figure({**own, "near": third}, styles_of([*names, "near"]), VAL_LOSS, view)
    assert differing.layout.yaxis.range[1] < 60


def test_a_line_that_has_learnt_nothing_stays_beside_one_that_is_perfect() -> None:
    assert range_of(VAL_LOSS, lines(VAL_LOSS, [1e-5] * 60, [2.3] * 60))[1] > 2.3


def test_a_line_that_flies_off_does_not_press_the_others_flat() -> None:
    values = lines(VAL_LOSS, [1.0] * 15, [1.0, 2, 4, 8, 1e3, 1e9, 1e20, 1e30, 1e38, INF])
    figure = curve_figure(values, STYLES, VAL_LOSS, View())
    low, high = figure.layout.yaxis.range
    assert low < 1
    assert 8 < high < 10
    assert figure.layout.title.subtitle.text == f"{LABELS[1]} is off the chart"


def test_how_many_lines_are_off_the_chart_is_said_and_none_where_all_are_on_it() -> None:
    names = ["A", "B", "C"]
    values = dict(zip(names, (line(VAL_LOSS, [1.0] * 9 + [end]) for end in (1.0, 1e9, 1e30)), strict=True))
    styles = styles_of(names)

    def told(**view: Any) -> str | None:
        text: str | None = curve_figure(values, styles, VAL_LOSS, View(**view)).layout.title.subtitle.text
        return text

    assert told() == "2 networks are off the chart"
    assert told(log_y=True) is None
    assert told(differences=True, baseline="A") == "minus A’s · 2 networks are off the chart"


@pytest.mark.parametrize("value", [0, 0.5, 1e6])
def test_equal_values_are_not_pressed_onto_an_empty_axis(value: float) -> None:
    low, high = curve_figure(lines(VAL_LOSS, [value] * 12), STYLES, VAL_LOSS, View()).layout.yaxis.range
    assert low <= value < high
