"""The axes of loss and accuracy over training."""

from itertools import product

import numpy as np
import pytest

from bnlab.charts.curves import (
    curve_figure,
)
from bnlab.charts.lines import Curve
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


def test_the_axis_spans_the_lines_once_the_first_epoch_is_over() -> None:
    falling = [9, 3, 0.5, *[0.4] * 6, 0.3]
    low, high = curve_figure(lines(LOSS, falling), STYLES, LOSS, ROUGH).layout.yaxis.range
    assert 0 <= low < 0.3
    assert 3 < high < 3.3, "from a fifth of an epoch on"
    young = curve_figure(lines(LOSS, falling[:-1]), STYLES, LOSS, ROUGH)
    assert "range" not in young.to_dict()["layout"]["yaxis"], "plotly.js cannot redraw a chart whose range is null"
    low, high = curve_figure(lines(ACCURACY, [0.1, *[0.5] * 8, 1.0]), STYLES, ACCURACY, ROUGH).layout.yaxis.range
    assert 0.4 < low < 0.5
    assert 1 < high < 1.01


def test_a_line_that_flies_off_does_not_press_the_others_flat() -> None:
    values = lines(VAL_LOSS, [1.0] * 15, [1.0, 2, 4, 8, 1e3, 1e9, 1e20, 1e30, 1e38, INF])
    low, high = curve_figure(values, STYLES, VAL_LOSS, View()).layout.yaxis.range
    assert low < 1
    assert 8 < high < 10


@pytest.mark.parametrize("value", [0, 0.5, 1e6])
def test_equal_values_are_not_pressed_onto_an_empty_axis(value: float) -> None:
    low, high = curve_figure(lines(VAL_LOSS, [value] * 12), STYLES, VAL_LOSS, View()).layout.yaxis.range
    assert low <= value < high
