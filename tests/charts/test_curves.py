"""Loss and accuracy over training: the figures by their traces, with whatever a run may leave behind."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnlab.charts.curve_alt import curve_alt
from bnlab.charts.curves import (
    MARKED_POINTS,
    curve_drawing,
    curve_figure,
    differing_lines,
)
from bnlab.charts.lines import Curve, Line
from bnlab.charts.points import smoothed
from bnlab.charts.style import styles_of
from bnlab.charts.view import View
from tests.charts.curve_lines import (
    INF,
    LABELS,
    LOSS,
    NAN,
    ROUGH,
    STYLES,
    VAL_LOSS,
    assert_sound,
    backs,
    every_curve,
    fronts,
    line,
    lines,
    values_of_runs,
    views,
)
from tests.charts.frames import columns_of, thinned_frame
from tests.charts.snapshots import texts


@every_curve
def test_one_line_a_variant_in_its_style_over_all_that_is_behind(curve: Curve) -> None:
    figure = curve_figure(lines(curve, [0.5, 0.4, 0.3], [0.2]), STYLES, curve, View())
    assert_sound(figure)
    drawn = [(trace.uid, trace.name, trace.line.color, trace.line.dash) for trace in figure.data[-2:]]
    assert drawn == [(style.uid, style.name, style.colour, style.dash) for style in STYLES.values()]
    assert all(trace.showlegend is False and trace.hoverinfo == "skip" for trace in figure.data[:-2])
    groups = {trace.legendgroup for trace in figure.data}
    assert groups == {style.uid for style in STYLES.values()}, "what is behind a line is hidden with it"
    assert figure.layout.title.text == curve.title
    assert not texts(figure)


def test_training_curves_are_smoothed_before_their_raw_values_and_validation_is_not() -> None:
    values = [1, 0, 1, 0]
    figure = curve_figure(lines(LOSS, values), STYLES, LOSS, View(smoothing=0.5))
    np.testing.assert_allclose(figure.data[-1].y, smoothed(np.array(values, np.float32), 0.5))
    (raw,) = backs(figure, "raw")
    assert raw.y.tolist() == [1, 1, 0, 0, 1, 1, 0, 0]
    assert not backs(curve_figure(lines(LOSS, values), STYLES, LOSS, ROUGH), "raw")
    assert len(curve_figure(lines(VAL_LOSS, values), STYLES, VAL_LOSS, View()).data) == 1


def test_the_raw_values_behind_reach_every_peak() -> None:
    steps = pd.DataFrame({"step": range(1, 9), "loss": [1, 9, 1, 1, 0, 1, 1, 1], "accuracy": 0.5})
    frame = thinned_frame(steps, 4).assign(epoch=[0.4, 0.8], seconds=[4, 8])
    own = columns_of(frame)
    (raw,) = backs(curve_figure({LABELS[0]: Line(own, [own])}, STYLES, LOSS, View()), "raw")
    np.testing.assert_allclose(np.column_stack([raw.x, raw.y]), [[0.2, 1], [0.4, 9], [0.6, 0], [0.8, 1]])


@every_curve
def test_several_seeds_are_a_mean_within_a_band_of_their_spread(curve: Curve) -> None:
    seeds = [[0.5, 0.3, 0.25], [0.7, 0.5], [0.6, 0.7]]
    figure = curve_figure({LABELS[0]: line(curve, *seeds)}, STYLES, curve, ROUGH)
    assert_sound(figure)
    means, spreads = np.array([0.6, 0.5, 0.25]), np.array([0.1, 0.2, 0])
    np.testing.assert_allclose(figure.data[-1].y, means, rtol=1e-6)
    ((low,), (high,)) = backs(figure, "low"), backs(figure, "high")
    np.testing.assert_allclose(low.y, means - spreads, rtol=1e-5)
    np.testing.assert_allclose(high.y, means + spreads, rtol=1e-5)
    assert figure.data.index(high) == figure.data.index(low) + 1, "the band is filled to the trace before"
    assert high.fill == "tonexty"
    assert not backs(figure, "raw")


def test_every_seed_of_its_own_where_that_is_wanted() -> None:
    many = {LABELS[0]: line(VAL_LOSS, [3, 2], [5]), LABELS[1]: line(VAL_LOSS, [1, 1])}
    figure = curve_figure(many, STYLES, VAL_LOSS, View(singles=True))
    uid = STYLES[LABELS[0]].uid
    singles = {trace.uid: trace.y.tolist() for trace in figure.data if trace.uid in (f"{uid}-0", f"{uid}-1")}
    assert singles == {f"{uid}-0": [3, 2], f"{uid}-1": [5]}
    assert len(figure.data) == len(curve_figure(many, STYLES, VAL_LOSS, View()).data) + 2


def test_a_band_stays_on_a_logarithmic_axis_and_goes_below_zero_in_differences() -> None:
    many = {LABELS[0]: line(VAL_LOSS, [1, 1], [3, 3]), LABELS[1]: line(VAL_LOSS, [0.1, 0], [3.9, 4])}
    (_, low) = backs(curve_figure(many, STYLES, VAL_LOSS, View(log_y=True)), "low")
    np.testing.assert_allclose(low.y, [0.2, 0.2], rtol=1e-6)
    differing = View(log_y=True, differences=True, baseline=LABELS[0])
    figure = curve_figure(many, STYLES, VAL_LOSS, differing)
    (low,) = backs(figure, "low")
    np.testing.assert_allclose(low.y, [-3.8 / math.sqrt(2), -4 / math.sqrt(2)], rtol=1e-5)
    assert figure.layout.yaxis.type is None


@every_curve
def test_differences_are_to_the_baselines_mean(curve: Curve) -> None:
    many = {LABELS[0]: line(curve, [0.5, 0.4], [0.7, 0.6]), LABELS[1]: line(curve, [0.6, 0.2, 0], [0.4, 0, 0])}
    view = View(smoothing=0, singles=True, differences=True, baseline=LABELS[0])
    figure = curve_figure(many, STYLES, curve, view)
    assert_sound(figure)
    drawn = fronts(figure)
    assert list(drawn) == [LABELS[1]], "the baseline itself is the line at zero"
    np.testing.assert_allclose(drawn[LABELS[1]].y, [-0.1, -0.4], rtol=1e-5)
    np.testing.assert_allclose(backs(figure, "0")[0].y, [0, -0.3], rtol=1e-5, atol=1e-6)
    assert figure.layout.title.subtitle.text == f"minus {LABELS[0]}’s"
    low, high = figure.layout.yaxis.range
    assert low < min(backs(figure, "low")[0].y) < max(backs(figure, "high")[0].y) < high


def test_differences_over_seconds_are_taken_at_equal_times() -> None:
    many = {LABELS[0]: line(VAL_LOSS, [4, 3, 2]), LABELS[1]: line(VAL_LOSS, [4, 3, 2], pace=0.5)}
    by_seconds = View(x="seconds", differences=True, baseline=LABELS[0])
    differing = differing_lines(many, VAL_LOSS, by_seconds)
    assert differing[LABELS[1]].mean["val_loss"].tolist() == [0, -0.5, -1]
    by_epoch = differing_lines(many, VAL_LOSS, by_seconds.model_copy(update={"x": "step"}))
    assert by_epoch[LABELS[1]].mean["val_loss"].tolist() == [0, 0, 0]


def test_without_its_baseline_a_curve_is_itself() -> None:
    own = lines(LOSS, [1, 2])
    for view in (View(), View(differences=True), View(differences=True, baseline="gone"), View(baseline=LABELS[0])):
        assert differing_lines(own, LOSS, view)[LABELS[0]] is own[LABELS[0]]
        assert curve_figure(own, STYLES, LOSS, view).layout.title.to_plotly_json() == {"text": LOSS.title}


def test_few_points_are_marked_and_the_last_row_sees_more() -> None:
    figure = curve_figure(lines(VAL_LOSS, [1], [1] * MARKED_POINTS), STYLES, VAL_LOSS, View())
    assert [trace.mode for trace in figure.data] == ["lines+markers", "lines"]
    projected = curve_figure(lines(VAL_LOSS, [1]), STYLES, VAL_LOSS, View(projector=True))
    assert projected.data[0].line.width > figure.data[0].line.width
    assert projected.data[0].marker.size > figure.data[0].marker.size


@every_curve
def test_nothing_trained_is_a_sentence_not_an_error(curve: Curve) -> None:
    view = View(differences=True, baseline=LABELS[0], singles=True)
    for empty in ({}, lines(curve, []), {LABELS[0]: line(curve, [], []), LABELS[1]: line(curve, [])}):
        figure = curve_figure(empty, STYLES, curve, view)
        assert_sound(figure)
        assert texts(figure) == ["Nothing trained yet"]
        assert curve_alt(empty, curve, view) == f"{curve.title}: nothing trained yet."
        begun = curve_drawing(empty, STYLES, curve, view, awaited=True)
        assert texts(begun.figure()) == ["Waiting for the first steps"]
        assert curve_alt(empty, curve, view, awaited=True) == f"{curve.title}: waiting for the first steps."


@pytest.mark.parametrize(
    ("values", "view", "says"),
    [
        (([NAN] * 3, [INF, NAN]), View(), "The loss was never a number"),
        (([], [3, 2]), View(differences=True, baseline=LABELS[0]), "Nothing to compare yet"),
        (([3], []), View(log_x=True), "Nothing on this axis yet"),
    ],
)
def test_why_there_is_nothing_to_see(values: tuple[list[float], ...], view: View, says: str) -> None:
    figure = curve_figure(lines(VAL_LOSS, *values), STYLES, VAL_LOSS, view)
    assert_sound(figure)
    assert texts(figure) == [says]


def test_a_variant_without_points_keeps_its_place_in_the_legend() -> None:
    figure = curve_figure(lines(LOSS, [], [1]), STYLES, LOSS, View())
    assert {name: len(trace.y) for name, trace in fronts(figure).items()} == {LABELS[0]: 0, LABELS[1]: 1}


@pytest.mark.parametrize("smoothing", [0, 0.6])
def test_what_is_not_a_number_is_left_out(smoothing: float) -> None:
    figure = curve_figure(lines(LOSS, [2, NAN, 2, INF, NAN]), STYLES, LOSS, View(smoothing=smoothing))
    np.testing.assert_allclose(figure.data[-1].x, [0.1, 0.3])
    np.testing.assert_allclose(figure.data[-1].y, [2, 2])


@every_curve
@settings(max_examples=12)
@given(st.lists(st.lists(values_of_runs, min_size=1, max_size=3), max_size=2), views)
def test_whatever_the_runs_and_the_view_there_is_a_figure(
    curve: Curve, seeds: list[list[list[float]]], view: View
) -> None:
    own = {label: line(curve, *values) for label, values in zip(LABELS, seeds, strict=False)}
    figure = curve_figure(own, STYLES, curve, view)
    assert_sound(figure)
    assert bool(figure.data) != bool(texts(figure))
    assert curve_alt(own, curve, view).startswith(curve.title)


def test_a_variants_name_is_no_markup() -> None:
    odd = "<b>a</b><br> & b"
    own = {odd: line(VAL_LOSS, [1.0]), "plain": line(VAL_LOSS, [2.0])}
    figure = curve_figure(own, styles_of(list(own)), VAL_LOSS, View())
    assert [trace.name for trace in figure.data] == ["&lt;b&gt;a&lt;/b&gt;&lt;br&gt; &amp; b", "plain"]
    differing = curve_figure(own, styles_of(list(own)), VAL_LOSS, View(baseline=odd, differences=True))
    assert "<" not in differing.layout.title.subtitle.text
