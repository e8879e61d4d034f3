"""Loss and accuracy: the points by equality, the figure by its traces."""

import json
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bnlab.charts.curves import (
    MOST_POINTS,
    TRAINING_CURVES,
    VALIDATION_CURVES,
    Curve,
    curve_alt,
    curve_figure,
    thinned_frame,
)
from bnlab.charts.style import styles_of
from bnlab.ui.live_chart import figure_json

CURVES = [*TRAINING_CURVES, *VALIDATION_CURVES]
LOSS, ACCURACY = TRAINING_CURVES
STYLES = dict(zip("ab", styles_of(["Plain", "With BN"]).values(), strict=True))
NAN, INF = math.nan, math.inf

lengths = st.integers(1, 5_000)
mosts = st.integers(2, 400)


def steps_of(losses: Sequence[float]) -> pd.DataFrame:
    loss = np.asarray(losses, np.float32)
    return pd.DataFrame({"step": np.arange(1, len(loss) + 1), "loss": loss, "accuracy": loss / 10})


def random_steps(length: int) -> pd.DataFrame:
    return steps_of(np.random.default_rng(length).uniform(0, 3, length))


def stretch_of(steps: pd.DataFrame, most: int) -> int:
    """How many steps a point stands for, as the first point's place tells."""
    return int(thinned_frame(steps, 1, most)["epoch"].iloc[0])


def points(curve: Curve, *values: float) -> pd.DataFrame:
    """A point a tenth of an epoch, from 0 on."""
    return pd.DataFrame({"epoch": np.arange(len(values)) / 10, curve.column: np.asarray(values, float)})


def messages(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_few_steps_are_all_drawn_each_at_its_end() -> None:
    expected = pd.DataFrame(
        {
            "epoch": [0.25, 0.5, 0.75],
            "loss": np.array([4, 3, 8], np.float32),
            "accuracy": np.array([0.4, 0.3, 0.8], np.float32),
        }
    )
    pd.testing.assert_frame_equal(thinned_frame(steps_of([4, 3, 8]), 4), expected)


def test_more_steps_than_points_are_averaged_and_an_unfinished_stretch_waits() -> None:
    expected = pd.DataFrame(
        {"epoch": [1.0, 2.0], "loss": np.array([2.5, 10], np.float32), "accuracy": np.array([0.25, 1], np.float32)}
    )
    pd.testing.assert_frame_equal(thinned_frame(steps_of([1, 2, 3, 4, 10, 10, 10, 10, 99]), 4, most=3), expected)


def test_steps_after_a_later_start_keep_their_place() -> None:
    """As `steps_frame(…, after=…)` gives them."""
    late = steps_of([1, 2, 3, 4]).assign(step=[11, 12, 13, 14])
    assert thinned_frame(late, 2, most=2)["epoch"].tolist() == [6, 7]


def test_no_steps_no_points() -> None:
    frame = thinned_frame(steps_of([]), 10)
    assert frame.empty
    assert list(frame.columns) == ["epoch", "loss", "accuracy"]


@given(lengths, mosts)
@example(MOST_POINTS, MOST_POINTS)
@example(MOST_POINTS + 1, MOST_POINTS)
def test_points_are_the_means_of_power_of_two_stretches(length: int, most: int) -> None:
    steps = random_steps(length)
    frame, stretch = thinned_frame(steps, 7, most), stretch_of(steps, most)
    assert stretch.bit_count() == 1
    assert len(frame) == length // stretch <= most
    assert stretch == 1 or length > stretch // 2 * most, "no coarser than it has to be"
    for column in ("loss", "accuracy"):
        whole = steps[column].to_numpy(float)[: len(frame) * stretch].reshape(-1, stretch)
        np.testing.assert_allclose(frame[column], whole.mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(frame["epoch"], np.arange(1, len(frame) + 1) * stretch / 7)


@given(lengths, st.integers(1, 5_000), mosts)
def test_points_keep_their_place_while_the_run_grows(length: int, more: int, most: int) -> None:
    later = random_steps(length + more)
    now = later.iloc[:length]
    before, after = thinned_frame(now, 7, most), thinned_frame(later, 7, most)
    if stretch_of(now, most) == stretch_of(later, most):
        pd.testing.assert_frame_equal(after.iloc[: len(before)], before)
    else:  # twice as coarse, or more: every point left stands where one stood
        grown = after[after["epoch"] <= before["epoch"].iloc[-1]]
        assert set(grown["epoch"]) <= set(before["epoch"])


def test_what_overflowed_stays_in_its_own_stretch() -> None:
    frame = thinned_frame(steps_of([1, 1, NAN, 2, 3, INF, 4, 4]), 1, most=4)
    np.testing.assert_array_equal(frame["loss"], np.array([1, NAN, INF, 4], np.float32))


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.title)
def test_one_line_a_run_in_its_style(curve: Curve) -> None:
    curves = {"b": points(curve, 0.5, 0.4, 0.3), "a": points(curve, 0.2)}
    figure = curve_figure(curves, STYLES, curve)
    drawn = [(line.uid, line.name, line.line.color, line.line.dash) for line in figure.data]
    assert drawn == [(run, STYLES[run].name, STYLES[run].colour, STYLES[run].dash) for run in "ba"]
    np.testing.assert_allclose(figure.data[0].x, [0, 0.1, 0.2])
    np.testing.assert_allclose(figure.data[0].y, [0.5, 0.4, 0.3])
    assert figure.data[0].y.dtype == figure.data[0].x.dtype == np.float32, "half the bytes of a tick"
    assert figure.layout.title.text == curve.title
    assert not messages(figure)


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.title)
def test_fractions_are_shown_as_percentages(curve: Curve) -> None:
    figure = curve_figure({"a": points(curve, 0.5, 0.6)}, STYLES, curve)
    assert ("%" in (figure.layout.yaxis.tickformat or "")) == curve.is_fraction
    assert ("%}" in figure.data[0].hovertemplate) == curve.is_fraction


def test_single_points_can_be_seen() -> None:
    figure = curve_figure({"a": points(LOSS, 1.0), "b": points(LOSS, *[1.0] * 150)}, STYLES, LOSS)
    assert [line.mode for line in figure.data] == ["lines+markers", "lines"]


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.title)
@pytest.mark.parametrize("runs", ["", "a", "ab"])
def test_nothing_trained_is_a_sentence_not_an_error(curve: Curve, runs: str) -> None:
    empty = {run: points(curve) for run in runs}
    figure = curve_figure(empty, STYLES, curve)
    assert not figure.data
    assert messages(figure) == ["Nothing trained yet"]
    assert curve_alt(empty, STYLES, curve) == f"{curve.title}: nothing trained yet."


def test_a_run_without_points_keeps_its_place_in_the_legend() -> None:
    figure = curve_figure({"a": points(LOSS), "b": points(LOSS, 1.0)}, STYLES, LOSS)
    assert [(line.uid, len(line.y)) for line in figure.data] == [("a", 0), ("b", 1)]


def test_what_is_not_a_number_is_left_out() -> None:
    figure = curve_figure({"a": points(LOSS, 2.0, NAN, 1.0)}, STYLES, LOSS)
    assert figure.data[0].y.tolist() == [2, 1]


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.title)
@pytest.mark.parametrize("values", [(NAN,) * 4, (1.0, INF, INF, INF), (1.0, 0.5, NAN, NAN), (INF,) * 4])
def test_a_run_that_overflowed_can_be_drawn_and_sent(curve: Curve, values: tuple[float, ...]) -> None:
    curves = {"a": points(curve, *values), "b": points(curve, 0.9, 0.8, 0.7, 0.6)}
    sent = json.loads(figure_json(curve_figure(curves, STYLES, curve), uirevision="loss"), parse_constant=pytest.fail)
    assert [trace["uid"] for trace in sent["data"]] == ["a", "b"]
    assert "With BN" in curve_alt(curves, STYLES, curve)


def test_the_axis_spans_the_lines_once_they_have_settled() -> None:
    loss = curve_figure({"a": points(LOSS, 9.0, 3.0, 0.5, 0.3)}, STYLES, LOSS).layout.yaxis.range
    assert 0 <= loss[0] < 0.3
    assert 0.5 < loss[1] < 0.6
    accuracy = curve_figure({"a": points(ACCURACY, 0.1, 0.5, 0.99, 1.0)}, STYLES, ACCURACY).layout.yaxis.range
    assert 0.95 < accuracy[0] < 0.99
    assert 1 < accuracy[1] < 1.01


def test_the_axis_is_plotlys_until_a_line_has_got_that_far() -> None:
    sent = figure_json(curve_figure({"a": points(LOSS, 9.0, 3.0)}, STYLES, LOSS), uirevision="loss")
    assert "range" not in json.loads(sent)["layout"]["yaxis"], "plotly.js cannot redraw a chart whose range is null"


@pytest.mark.parametrize("values", [(), (0.9,), (0.9, 0.8, 0.7, 0.6)])
@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.title)
def test_plotly_knows_every_property(curve: Curve, values: tuple[float, ...]) -> None:
    go.Figure(curve_figure({"a": points(curve, *values)}, STYLES, curve).to_dict())


def test_equal_values_are_not_pressed_onto_an_empty_axis() -> None:
    low, high = curve_figure({"a": points(LOSS, *[0.5] * 5)}, STYLES, LOSS).layout.yaxis.range
    assert low < 0.5 < high


def test_the_sentence_puts_the_best_first() -> None:
    ends = {"a": (0.9, 0.25), "b": (0.5, 0.125)}
    loss = curve_alt({run: points(LOSS, *values) for run, values in ends.items()}, STYLES, LOSS)
    assert loss == "Training loss by epoch, the best first: With BN 0.125, Plain 0.250."
    accuracy = curve_alt({run: points(ACCURACY, *values) for run, values in ends.items()}, STYLES, ACCURACY)
    assert accuracy == "Training accuracy by epoch, the best first: Plain 25.0%, With BN 12.5%."


@pytest.mark.parametrize("end", [NAN, INF])
def test_the_sentence_is_about_numbers(end: float) -> None:
    curves = {"a": points(LOSS, 1.0, end), "b": points(LOSS, 0.5)}
    assert curve_alt(curves, STYLES, LOSS) == "Training loss by epoch, the best first: With BN 0.500."
