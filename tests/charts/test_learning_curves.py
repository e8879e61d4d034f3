"""The charts of loss and accuracy over training: traces, axes and alternative texts, for any recorded values."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnlab.charts.curve_settings import X_AXES, Curve, CurveSettings
from bnlab.charts.learning_curves import MAX_MARKED_POINTS
from bnlab.charts.series import Series, smooth
from bnlab.charts.style import styles_of
from tests.charts.curve_lines import (
    ACCURACY,
    BIG,
    INF,
    LABELS,
    LOSS,
    NAN,
    ROUGH,
    STYLES,
    VAL_ACCURACY,
    VAL_LOSS,
    assert_sound,
    backs,
    curve_figure,
    curve_text,
    every_curve,
    fronts,
    line,
    lines,
    values_of_runs,
    views,
)
from tests.charts.snapshots import limits, texts
from tests.slow import all_slow_but


@every_curve
def test_one_line_per_variant_in_front_of_the_background(curve: Curve) -> None:
    figure = curve_figure(lines(curve, [0.5, 0.4, 0.3], [0.2]), STYLES, curve, CurveSettings())
    assert_sound(figure)
    drawn = [(trace.uid, trace.name, trace.line.color, trace.line.dash) for trace in figure.data[-2:]]
    assert drawn == [(style.uid, style.name, style.color, style.dash) for style in STYLES.values()]
    assert all(trace.showlegend is False and trace.hoverinfo == "skip" for trace in figure.data[:-2])
    groups = {trace.legendgroup for trace in figure.data}
    assert groups == {style.uid for style in STYLES.values()}, "what is behind a line is hidden with it"
    assert figure.layout.title.text == curve.title
    assert not texts(figure)


def test_only_training_curves_are_smoothed() -> None:
    values = [1, 0, 1, 0]
    figure = curve_figure(lines(LOSS, values, smoothing=0.5), STYLES, LOSS, CurveSettings(smoothing=0.5))
    np.testing.assert_allclose(figure.data[-1].y, smooth(np.array(values, np.float32), 0.5))
    (raw,) = backs(figure, "raw")
    assert raw.y.tolist() == values
    assert not backs(curve_figure(lines(LOSS, values), STYLES, LOSS, ROUGH), "raw")
    assert len(curve_figure(lines(VAL_LOSS, values), STYLES, VAL_LOSS, CurveSettings()).data) == 1


def test_raw_values_include_every_peak() -> None:
    values = np.ones(10_000)
    values[[1_234, 5_678]] = 9, 0
    (raw,) = backs(curve_figure(lines(LOSS, values.tolist()), STYLES, LOSS, CurveSettings(x="step")), "raw")
    assert len(raw.y) < 300
    assert [(x, y) for x, y in zip(raw.x, raw.y, strict=True) if y != 1] == [(12_350, 9), (56_790, 0)]


@every_curve
def test_seeds_are_a_mean_with_a_band(curve: Curve) -> None:
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


def test_every_seed_is_drawn_on_request() -> None:
    series = {LABELS[0]: line(VAL_LOSS, [3, 2], [5]), LABELS[1]: line(VAL_LOSS, [1, 1])}
    figure = curve_figure(series, STYLES, VAL_LOSS, CurveSettings(singles=True))
    uid = STYLES[LABELS[0]].uid
    singles = {trace.uid: trace.y.tolist() for trace in figure.data if trace.uid in (f"{uid}-0", f"{uid}-1")}
    assert singles == {f"{uid}-0": [3, 2], f"{uid}-1": [5]}
    assert len(figure.data) == len(curve_figure(series, STYLES, VAL_LOSS, CurveSettings()).data) + 2


def test_bands_on_logarithmic_axes_and_in_differences() -> None:
    series = {LABELS[0]: line(VAL_LOSS, [1, 1], [3, 3]), LABELS[1]: line(VAL_LOSS, [0.1, 0], [3.9, 4])}
    (_, low) = backs(curve_figure(series, STYLES, VAL_LOSS, CurveSettings(log_y=True)), "low")
    np.testing.assert_allclose(low.y, [0.2, 0.2], rtol=1e-6)
    differing = CurveSettings(log_y=True, differences=True, baseline=LABELS[0])
    figure = curve_figure(series, STYLES, VAL_LOSS, differing)
    (low,) = backs(figure, "low")
    np.testing.assert_allclose(low.y, [-3.8 / math.sqrt(2), -4 / math.sqrt(2)], rtol=1e-5)
    assert figure.layout.yaxis.type is None


@every_curve
def test_differences_are_to_the_baselines_mean(curve: Curve) -> None:
    series = {LABELS[0]: line(curve, [0.5, 0.4], [0.7, 0.6]), LABELS[1]: line(curve, [0.6, 0.2, 0], [0.4, 0, 0])}
    view = CurveSettings(smoothing=0, singles=True, differences=True, baseline=LABELS[0])
    figure = curve_figure(series, STYLES, curve, view)
    assert_sound(figure)
    drawn = fronts(figure)
    assert list(drawn) == [LABELS[1]], "the baseline itself is the line at zero"
    np.testing.assert_allclose(drawn[LABELS[1]].y, [-0.1, -0.4], rtol=1e-5)
    np.testing.assert_allclose(backs(figure, "0")[0].y, [0, -0.3], rtol=1e-5, atol=1e-6)
    assert figure.layout.title.subtitle.text == f"minus {LABELS[0]}’s"
    low, high = limits(figure.layout.yaxis)
    assert low < min(backs(figure, "low")[0].y) < max(backs(figure, "high")[0].y) < high


def test_differences_over_seconds_are_taken_at_equal_times() -> None:
    series = {LABELS[0]: line(VAL_LOSS, [4, 3, 2]), LABELS[1]: line(VAL_LOSS, [4, 3, 2], pace=0.5)}
    by_seconds = CurveSettings(x="seconds", differences=True, baseline=LABELS[0])
    assert curve_figure(series, STYLES, VAL_LOSS, by_seconds).data[0].y.tolist() == [0, -0.5, -1]
    by_epoch = by_seconds.model_copy(update={"x": "step"})
    assert curve_figure(series, STYLES, VAL_LOSS, by_epoch).data[0].y.tolist() == [0, 0, 0]


def test_curves_without_their_baseline_are_not_differences() -> None:
    series = lines(LOSS, [1, 2])
    for view in (
        CurveSettings(),
        CurveSettings(differences=True),
        CurveSettings(differences=True, baseline="gone"),
        CurveSettings(baseline=LABELS[0]),
    ):
        figure = curve_figure(series, STYLES, LOSS, view)
        assert figure.data[-1].y.size == 2
        assert figure.layout.title.to_plotly_json() == {"text": LOSS.title}


def test_few_points_are_marked_and_projector_lines_are_thick() -> None:
    figure = curve_figure(lines(VAL_LOSS, [1], [1] * MAX_MARKED_POINTS), STYLES, VAL_LOSS, CurveSettings())
    assert [trace.mode for trace in figure.data] == ["lines+markers", "lines"]
    projected = curve_figure(lines(VAL_LOSS, [1]), STYLES, VAL_LOSS, CurveSettings(projector=True))
    assert projected.data[0].line.width > figure.data[0].line.width
    assert projected.data[0].marker.size > figure.data[0].marker.size


@every_curve
def test_message_before_training(curve: Curve) -> None:
    view = CurveSettings(differences=True, baseline=LABELS[0], singles=True)
    for empty in ({}, lines(curve, []), {LABELS[0]: line(curve, [], []), LABELS[1]: line(curve, [])}):
        figure = curve_figure(empty, STYLES, curve, view)
        assert_sound(figure)
        assert texts(figure) == ["Nothing trained yet"]
        assert curve_text(empty, curve, view) == f"{curve.title}: nothing trained yet."
        begun = curve_figure(empty, STYLES, curve, view, awaited=True)
        assert texts(begun) == ["Waiting for the first steps"]
        assert curve_text(empty, curve, view, awaited=True) == f"{curve.title}: waiting for the first steps."


@pytest.mark.parametrize(
    ("values", "view", "message"),
    [
        (([NAN] * 3, [INF, NAN]), CurveSettings(), "Loss was never finite"),
        (([], [3, 2]), CurveSettings(differences=True, baseline=LABELS[0]), "Nothing to compare yet"),
        (([3], []), CurveSettings(log_x=True), "Nothing on this axis yet"),
    ],
)
def test_message_of_an_empty_chart(values: tuple[list[float], ...], view: CurveSettings, message: str) -> None:
    figure = curve_figure(lines(VAL_LOSS, *values), STYLES, VAL_LOSS, view)
    assert_sound(figure)
    assert texts(figure) == [message]


def test_variants_without_points_are_in_the_legend() -> None:
    figure = curve_figure(lines(LOSS, [], [1]), STYLES, LOSS, CurveSettings())
    assert {name: len(trace.y) for name, trace in fronts(figure).items()} == {LABELS[0]: 0, LABELS[1]: 1}


@pytest.mark.parametrize("smoothing", [0, 0.6])
def test_values_that_are_not_finite_are_left_out(smoothing: float) -> None:
    figure = curve_figure(
        lines(LOSS, [2, NAN, 2, INF, NAN], smoothing=smoothing), STYLES, LOSS, CurveSettings(smoothing=smoothing)
    )
    np.testing.assert_allclose(figure.data[-1].x, [0.1, 0.3])
    np.testing.assert_allclose(figure.data[-1].y, [2, 2])


@every_curve
@settings(max_examples=12)
@given(st.lists(st.lists(values_of_runs, min_size=1, max_size=3), max_size=2), views)
def test_any_runs_and_settings_make_a_figure(curve: Curve, seeds: list[list[list[float]]], view: CurveSettings) -> None:
    series = {
        label: line(curve, *values, smoothing=view.smoothing) for label, values in zip(LABELS, seeds, strict=False)
    }
    figure = curve_figure(series, STYLES, curve, view)
    assert_sound(figure)
    assert bool(figure.data) != bool(texts(figure))
    assert curve_text(series, curve, view).startswith(curve.title)


def test_names_are_escaped() -> None:
    odd = "<b>a</b><br> & b"
    series = {odd: line(VAL_LOSS, [1.0]), "plain": line(VAL_LOSS, [2.0])}
    figure = curve_figure(series, styles_of(list(series)), VAL_LOSS, CurveSettings())
    assert [trace.name for trace in figure.data] == ["&lt;b&gt;a&lt;/b&gt;&lt;br&gt; &amp; b", "plain"]
    differing = curve_figure(series, styles_of(list(series)), VAL_LOSS, CurveSettings(baseline=odd, differences=True))
    assert "<" not in differing.layout.title.subtitle.text


@pytest.mark.parametrize(("x", "positions"), [("epoch", [0, 0.1, 0.2]), ("step", [0, 10, 20]), ("seconds", [0, 1, 2])])
def test_x_axes(x: str, positions: list[float]) -> None:
    figure = curve_figure(lines(VAL_LOSS, [5, 4, 3]), STYLES, VAL_LOSS, CurveSettings(x=x))
    np.testing.assert_allclose(figure.data[0].x, positions)
    np.testing.assert_allclose(figure.data[0].y, [5, 4, 3])
    assert x in figure.layout.xaxis.title.text


# `preset=placement&train_examples=2&batch_size=2&learning_rate=1&epochs=40`: 39 of 40 losses without BN are exactly 0.
MEMORIZED = [2.7991204, *[0.0] * 39], [2.1604815, *np.geomspace(1.5e-5, 5.5e-6, 39).tolist()]


@pytest.mark.parametrize("smoothing", [0.0, 0.6])
def test_exact_zeros_are_at_the_lower_edge_of_a_logarithmic_axis_and_named(smoothing: float) -> None:
    series = lines(LOSS, *MEMORIZED, smoothing=smoothing)
    view = CurveSettings(log_y=True, smoothing=smoothing)
    figure = curve_figure(series, STYLES, LOSS, view)
    assert_sound(figure)
    kind = "raw" if smoothing else LABELS[0]
    (drawn,) = backs(figure, "raw")[:1] if smoothing else [fronts(figure)[kind]]
    smallest = min(trace.y.min() for trace in figure.data)
    assert len(drawn.y) == 40
    assert set(drawn.y[1:].tolist()) == {smallest}
    assert smallest < min(y.min() for trace in figure.data if (y := trace.y[trace.y > smallest]).size)
    if not smoothing:
        assert drawn.customdata.tolist() == pytest.approx(MEMORIZED[0])
        assert "customdata" in drawn.hovertemplate
    assert "zero" in figure.layout.title.subtitle.text
    assert curve_text(series, LOSS, view).endswith(f"lower edge: {LABELS[0]}.")
    linear = view.model_copy(update={"log_y": False})
    assert "zero" not in curve_text(series, LOSS, linear)


# Validation losses of "Stddev 1" in `preset=initializers&learning_rate=1&seeds=4&train_examples=2000`; the second seed
# diverged at step 18.
DIVERGING = [
    [123.6, 9e4, 4e5, 2e9, 13.8],
    [125.8, 83915.4, 222559.2, 1.65586808e18],
    [175.3, 8e4, 3e6, 1e9, 2.3098],
    [207.4, 4e5, 8e5, 3e9, 2508293632.0],
]


def test_diverged_seeds_are_counted_and_the_mean_over_fewer_is_marked() -> None:
    mean = line(VAL_LOSS, *DIVERGING)
    series = {LABELS[0]: Series(mean.mean, mean.seeds, diverged=[18]), LABELS[1]: line(VAL_LOSS, [1.0] * 5, [2.0] * 5)}
    view = CurveSettings(log_y=True)
    figure = curve_figure(series, STYLES, VAL_LOSS, view)
    assert_sound(figure)
    drawn = fronts(figure)
    assert drawn[LABELS[0]].y[3] > 4e17
    assert drawn[LABELS[0]].y[4] == pytest.approx(8.36e8, rel=1e-3)
    assert [("3 of 4" in text) for text in drawn[LABELS[0]].text] == [False] * 4 + [True]
    assert drawn[LABELS[1]].text is None
    (mark,) = backs(figure, "fewer")
    assert (mark.mode, mark.x.tolist(), mark.y.tolist()) == ("markers", [np.float32(0.4)], [drawn[LABELS[0]].y[4]])
    for text in (figure.layout.title.subtitle.text, curve_text(series, VAL_LOSS, view)):
        assert f"{LABELS[0]}: 1 of 4 seeds diverged at step 18" in text


def test_thinning_keeps_the_last_mean_over_all_seeds_and_the_first_over_fewer() -> None:
    noise = np.random.default_rng(1).uniform(1, 2, (2, 3_000))
    figure = curve_figure({LABELS[0]: line(LOSS, noise[0], noise[1][:1_234])}, STYLES, LOSS, CurveSettings(x="step"))
    x = figure.data[-1].x.tolist()
    assert len(x) < 200
    assert x[x.index(12_340) + 1] == 12_350
    assert backs(figure, "fewer")[0].x.tolist() == [12_350]


def test_the_subtitle_counts_networks_with_diverged_seeds() -> None:
    series = {label: Series(one.mean, one.seeds, diverged=[3]) for label, one in lines(VAL_LOSS, [1.0], [2.0]).items()}
    figure = curve_figure(series, STYLES, VAL_LOSS, ROUGH)
    assert figure.layout.title.subtitle.text.startswith("2 networks")
    alt = curve_text(series, VAL_LOSS, ROUGH)
    assert all(f"{label} diverged at step 3." in alt for label in LABELS)


def test_a_baselines_diverged_seeds_are_counted_and_differences_to_fewer_are_marked() -> None:
    base = line(VAL_LOSS, *DIVERGING)
    series = {
        LABELS[0]: Series(base.mean, base.seeds, diverged=[18]), LABELS[1]: line(VAL_LOSS, *[[1.0] * 5] * 4)
    }  # fmt: skip
    view = CurveSettings(differences=True, baseline=LABELS[0])
    figure = curve_figure(series, STYLES, VAL_LOSS, view)
    assert_sound(figure)
    (drawn,) = fronts(figure).values()
    assert list(drawn.text) == [""] * 4 + [" (baseline: 3 of 4 seeds)"]
    (mark,) = backs(figure, "fewer")
    assert (mark.x.tolist(), mark.y.tolist()) == ([np.float32(0.4)], [drawn.y[4]])
    assert figure.layout.title.subtitle.text.startswith(f"minus {LABELS[0]}’s (1 of 4 seeds diverged at step 18)")
    assert curve_text(series, VAL_LOSS, view).endswith(f"{LABELS[0]}: 1 of 4 seeds diverged at step 18.")


def test_seeds_of_both_a_variant_and_its_baseline_are_counted() -> None:
    base, variant = line(VAL_LOSS, *DIVERGING), line(VAL_LOSS, [1.0] * 5, [1.0] * 3)
    series = {
        LABELS[0]: Series(base.mean, base.seeds, diverged=[18]), LABELS[1]: Series(variant.mean, variant.seeds, [25])
    }  # fmt: skip
    view = CurveSettings(differences=True, baseline=LABELS[0])
    figure = curve_figure(series, STYLES, VAL_LOSS, view)
    (drawn,) = fronts(figure).values()
    texts = [""] * 3 + [" (1 of 2 seeds)", " (1 of 2 seeds, baseline: 3 of 4 seeds)"]
    assert list(drawn.text) == texts
    assert backs(figure, "fewer")[0].x.tolist() == pytest.approx([0.3, 0.4])
    subtitle = figure.layout.title.subtitle.text
    assert f"{LABELS[1]}: 1 of 2 seeds diverged at step 25" in subtitle
    assert f"minus {LABELS[0]}’s (1 of 4 seeds diverged at step 18)" in subtitle


def test_between_two_points_of_the_baseline_the_smaller_number_of_seeds_counts() -> None:
    base, variant = line(VAL_LOSS, [1.0, 2.0, 3.0], [1.0, 2.0]), line(VAL_LOSS, [1.0] * 5, pace=0.5)
    series = {LABELS[0]: base, LABELS[1]: variant}
    figure = curve_figure(series, STYLES, VAL_LOSS, CurveSettings(x="seconds", differences=True, baseline=LABELS[0]))
    (drawn,) = fronts(figure).values()
    assert drawn.x.tolist() == [0, 0.5, 1, 1.5, 2]
    assert ["baseline: 1 of 2" in text for text in drawn.text] == [False, False, False, True, True]


def test_thinning_keeps_the_last_difference_to_all_seeds_and_the_first_to_fewer() -> None:
    noise = np.random.default_rng(1).uniform(1, 2, (3, 3_000))
    series = {LABELS[0]: line(LOSS, noise[0], noise[1][:1_234]), LABELS[1]: line(LOSS, noise[2])}
    view = CurveSettings(x="step", differences=True, baseline=LABELS[0])
    figure = curve_figure(series, STYLES, LOSS, view)
    x = figure.data[-1].x.tolist()
    assert len(x) < 200
    assert x[x.index(12_340) + 1] == 12_350
    assert backs(figure, "fewer")[0].x.tolist() == [12_350]


def test_an_empty_chart_says_that_the_baseline_diverged() -> None:
    base, variant = line(VAL_LOSS, [INF, NAN]), line(VAL_LOSS, [1.0, 1.0])
    series = {LABELS[0]: Series(base.mean, base.seeds, diverged=[1]), LABELS[1]: variant}
    view = CurveSettings(differences=True, baseline=LABELS[0])
    figure = curve_figure(series, STYLES, VAL_LOSS, view)
    assert not figure.data
    assert figure.layout.title.subtitle.text == f"minus {LABELS[0]}’s (diverged at step 1)"
    assert f"{LABELS[0]} diverged at step 1." in curve_text(series, VAL_LOSS, view)


def test_step_zero_is_not_on_a_logarithmic_x_axis() -> None:
    figure = curve_figure(lines(VAL_LOSS, [5, 4, 3]), STYLES, VAL_LOSS, CurveSettings(log_x=True, log_y=True))
    assert figure.data[0].y.tolist() == [4, 3]
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis.autorange is None
    assert figure.layout.xaxis.tickformat == figure.layout.yaxis.tickformat == ",~g", "10, 20, 10,000: one form for all"
    accuracy = curve_figure(lines(VAL_ACCURACY, [0.5, 0.6]), STYLES, VAL_ACCURACY, CurveSettings(log_y=True))
    assert accuracy.layout.yaxis.type is None


@every_curve
def test_fractions_are_shown_as_percentages(curve: Curve) -> None:
    figure = curve_figure(lines(curve, [0.5, 0.6]), STYLES, curve, CurveSettings())
    assert ("%" in (figure.layout.yaxis.tickformat or "")) == curve.is_fraction
    assert ("%}" in figure.data[-1].hovertemplate) == curve.is_fraction


@pytest.mark.parametrize(
    ("curve", "x", "log_x", "log_y"),
    all_slow_but(
        [(LOSS, "step", True, True), (VAL_ACCURACY, "seconds", False, False)],
        product([LOSS, VAL_ACCURACY], X_AXES, [False, True], [False, True]),
    ),
    ids=lambda value: value.id if isinstance(value, Curve) else str(value),
)
def test_plotly_accepts_every_axis(curve: Curve, x: str, log_x: bool, log_y: bool) -> None:
    series = {LABELS[0]: line(curve, [0.9] * 12, [0.8] * 12), LABELS[1]: line(curve, [0.7] * 12)}
    assert_sound(curve_figure(series, STYLES, curve, CurveSettings(x=x, log_x=log_x, log_y=log_y)))


def test_uirevision_changes_with_the_axes() -> None:
    def revision(curve: Curve, **view: object) -> str:
        return str(curve_figure(lines(curve, [1, 2], [2]), STYLES, curve, CurveSettings(**view)).layout.uirevision)

    assert revision(LOSS) == revision(LOSS, smoothing=0.9, singles=True, projector=True)
    differing = {"differences": True, "baseline": LABELS[0]}
    others: list[dict[str, object]] = [{}, {"x": "step"}, {"log_x": True}, {"log_y": True}, differing]
    assert len({revision(LOSS, **other) for other in others}) == len(others)
    assert revision(LOSS) != revision(ACCURACY)
    assert revision(ACCURACY) == revision(ACCURACY, log_y=True), "which concerns losses alone"


def range_of(curve: Curve, series: dict[str, Series], view: CurveSettings = ROUGH) -> tuple[float, float]:
    low, high = limits(curve_figure(series, STYLES, curve, view).layout.yaxis)
    return low, high


def test_y_range_leaves_out_the_first_steep_fall() -> None:
    falling = [9, 3, 0.5, *[0.4] * 46, 0.3]
    low, high = range_of(LOSS, lines(LOSS, falling))
    assert 0 <= low < 0.3
    assert 3 < high < 3.3, "from a fifth of an epoch on"
    low, high = range_of(ACCURACY, lines(ACCURACY, [0.1, *[0.5] * 48, 1.0]))
    assert 0.4 < low < 0.5
    assert 1 < high < 1.01


@pytest.mark.parametrize("x", X_AXES)
def test_y_range_on_a_logarithmic_x_axis_has_all_steps(x: str) -> None:
    falling = [9, 3, 0.5, *[0.02] * 47]
    assert range_of(LOSS, lines(LOSS, falling), CurveSettings(smoothing=0, x=x, log_x=True))[1] > 9
    assert range_of(LOSS, lines(LOSS, falling), CurveSettings(smoothing=0, x=x))[1] < 9


def test_y_range_changes_slowly_while_a_run_grows() -> None:
    falling = [2.3 * 0.9**index for index in range(60)]
    for count in (1, 5, 9, 10, 11, 20):
        low, high = range_of(LOSS, lines(LOSS, falling[:count]))
        assert low < falling[count - 1] <= falling[0] < high, count
    heights = [range_of(LOSS, lines(LOSS, falling[:count]))[1] for count in range(5, 60)]
    assert max(-np.diff(heights)) < 0.25, "at most a point is left out at a time"
    assert heights[-1] < falling[0] < heights[0]


def test_y_range_includes_bands_and_seeds() -> None:
    series = {LABELS[0]: line(VAL_LOSS, [1.0] * 15, [2.0] * 15, [2.0] * 15)}
    figure = curve_figure(series, STYLES, VAL_LOSS, ROUGH)
    low, high = limits(figure.layout.yaxis)
    assert low < min(backs(figure, "low")[0].y) < 1.6 < max(backs(figure, "high")[0].y) < high
    assert range_of(VAL_LOSS, series, CurveSettings(smoothing=0, singles=True))[0] < 1 < low


@pytest.mark.parametrize(("count", "others"), all_slow_but([(15, 2)], product([8, 15, 60], [1, 2])))
def test_y_range_leaves_out_lines_that_diverged_at_once(count: int, others: int) -> None:
    good, bad = line(VAL_LOSS, [2.3, *[0.4] * count]), [line(VAL_LOSS, [90.0, *[1e6] * count]) for _ in range(others)]
    names = [*LABELS, "third"][: 1 + others]
    series = dict(zip(names, [good, *bad], strict=True))
    figure = curve_figure(series, styles_of(names), VAL_LOSS, ROUGH)
    assert limits(figure.layout.yaxis)[1] < 60
    view = CurveSettings(smoothing=0, differences=True, baseline=names[0])
    third = line(VAL_LOSS, [2.3, *[0.5] * count])
    differing = curve_figure({**series, "near": third}, styles_of([*names, "near"]), VAL_LOSS, view)
    assert limits(differing.layout.yaxis)[1] < 60


def test_y_range_includes_a_line_that_has_learned_nothing() -> None:
    assert range_of(VAL_LOSS, lines(VAL_LOSS, [1e-5] * 60, [2.3] * 60))[1] > 2.3


def test_y_range_leaves_out_diverging_lines() -> None:
    values = lines(VAL_LOSS, [1.0] * 15, [1.0, 2, 4, 8, 1e3, 1e9, 1e20, 1e30, 1e38, INF])
    figure = curve_figure(values, STYLES, VAL_LOSS, CurveSettings())
    low, high = limits(figure.layout.yaxis)
    assert low < 1
    assert 8 < high < 10
    assert figure.layout.title.subtitle.text == f"{LABELS[1]} is off the chart"


def test_subtitle_counts_the_lines_off_the_chart() -> None:
    names = ["A", "B", "C"]
    values = dict(zip(names, (line(VAL_LOSS, [1.0] * 9 + [end]) for end in (1.0, 1e9, 1e30)), strict=True))
    styles = styles_of(names)

    def subtitle(**view: Any) -> str | None:
        text: str | None = curve_figure(values, styles, VAL_LOSS, CurveSettings(**view)).layout.title.subtitle.text
        return text

    assert subtitle() == "2 networks are off the chart"
    assert subtitle(log_y=True) is None
    assert subtitle(differences=True, baseline="A") == "minus A’s · 2 networks are off the chart"


@pytest.mark.parametrize("value", [0, 0.5, 1e6])
def test_y_range_of_equal_values(value: float) -> None:
    low, high = limits(curve_figure(lines(VAL_LOSS, [value] * 12), STYLES, VAL_LOSS, CurveSettings()).layout.yaxis)
    assert low <= value < high


def test_alt_has_the_best_first() -> None:
    ends = [0.9, 0.25], [0.5, 0.125]
    loss = curve_text(lines(LOSS, *ends), LOSS, CurveSettings())
    assert loss == "Training loss by epoch, the best first: BN, after 0.125, Without BN 0.250."
    accuracy = curve_text(lines(VAL_ACCURACY, *ends), VAL_ACCURACY, CurveSettings(x="seconds"))
    assert accuracy == "Validation accuracy by second, the best first: Without BN 25.0%, BN, after 12.5%."


@pytest.mark.parametrize("end", [NAN, INF])
def test_alt_names_the_lines_without_numbers(end: float) -> None:
    alt = curve_text(lines(LOSS, [1, end], [0.5]), LOSS, CurveSettings())
    assert alt == "Training loss by epoch, the best first: BN, after 0.500. No longer a number: Without BN."
    alone = curve_text(lines(LOSS, [1, end], []), LOSS, CurveSettings())
    assert alone == (
        "Training loss by epoch, the best first: none. No longer a number: Without BN. Nothing yet: BN, after."
    )


def test_alt_writes_large_losses_as_powers_of_ten() -> None:
    assert "Without BN 3.4 × 10³⁸." in curve_text(lines(VAL_LOSS, [BIG], [0.5]), VAL_LOSS, CurveSettings())


def test_alt_of_differences_names_the_baseline() -> None:
    view = CurveSettings(x="step", differences=True, baseline=LABELS[0])
    series = {LABELS[0]: line(VAL_LOSS, [1.0], [0.5]), LABELS[1]: line(VAL_LOSS, [0.25], [0.25])}
    expected = "Validation loss minus Without BN’s by step, means over seeds, the best first: BN, after −0.500."
    assert curve_text(series, VAL_LOSS, view) == expected
    accuracy = curve_text(lines(VAL_ACCURACY, [0.5], [0.75]), VAL_ACCURACY, view)
    assert accuracy.endswith("BN, after +25 points.")
    assert curve_text(lines(VAL_LOSS, [1.0], []), VAL_LOSS, view) == "Validation loss: nothing to compare yet."
