"""A batch-normalization layer over training: percentiles by NumPy's, the figure by its traces."""

import json
import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bnlab.charts.distributions import (
    VARIABLE_TITLES,
    normalization_alt,
    normalization_figure,
    normalization_frame,
    values_at,
)
from bnlab.charts.style import Style
from bnlab.runs.reader import PERCENTILE_COLUMNS
from bnlab.training.records import PERCENTILES
from bnlab.ui.live_chart import figure_json
from tests.charts.snapshots import limits

STYLE = Style("With BN", "#0072B2", "dash")
STYLES = {"a1": STYLE, "b2": Style("Without", "#D55E00", "solid")}
ENDS = {variable: index for index, variable in enumerate(VARIABLE_TITLES, start=1)}
numbers = st.floats(-1e6, 1e6, width=32)


def snapshots_of(*rows: tuple[int, str, list[float]]) -> pd.DataFrame:
    """As `bnlab.runs.reader.snapshots_frame` makes it."""
    arrays = [(step, variable, np.array(values, np.float32)) for step, variable, values in rows]
    return pd.DataFrame(arrays, columns=["step", "variable", "values"])


def frame_of(**ends: float) -> pd.DataFrame:
    """Two moments of each variable, all percentiles equal."""
    rows = [(step, variable, [end * step]) for variable, end in ends.items() for step in (0, 1)]
    return normalization_frame(snapshots_of(*rows), 1)


def texts(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_percentiles_over_units_at_each_evaluation() -> None:
    frame = normalization_frame(snapshots_of((0, "gamma", [1, 1]), (5, "gamma", [0, 100]), (5, "beta", [-2])), 10)
    expected = pd.DataFrame(
        [
            (0.0, "gamma", 1.0, 1.0, 1.0, 1.0, 1.0),
            (0.5, "gamma", 5.0, 15.0, 50.0, 85.0, 95.0),
            (0.5, "beta", -2.0, -2.0, -2.0, -2.0, -2.0),
        ],
        columns=["epoch", "variable", "p5", "p15", "p50", "p85", "p95"],
    )
    pd.testing.assert_frame_equal(frame, expected)


@given(arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 30)), elements=numbers))
def test_percentiles_agree_with_numpy(values: np.ndarray) -> None:
    snapshots = snapshots_of(*[(step, "moving_mean", row.tolist()) for step, row in enumerate(values)])
    frame = normalization_frame(snapshots, 3)
    np.testing.assert_allclose(
        frame[[*PERCENTILE_COLUMNS]], np.percentile(values, PERCENTILES, axis=1).T, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(frame["epoch"], np.arange(len(values)) / 3)


def test_variables_of_training_alone_are_left_out() -> None:
    frame = normalization_frame(snapshots_of((0, "renorm_mean", [1]), (0, "gamma", [1])), 1)
    assert frame["variable"].tolist() == ["gamma"]


def test_nothing_recorded_gives_no_rows() -> None:
    frame = normalization_frame(snapshots_of(), 10)
    assert frame.empty
    assert list(frame.columns) == ["epoch", "variable", *PERCENTILE_COLUMNS]


@pytest.mark.parametrize("variable", VARIABLE_TITLES)
def test_a_median_over_two_bands_in_the_runs_color(variable: str) -> None:
    figure = normalization_figure({"a1": frame_of(**ENDS)}, variable, STYLES)
    by_uid = {trace.uid: trace for trace in figure.data}
    assert set(by_uid) == {f"a1-{column}" for column in PERCENTILE_COLUMNS}
    assert len(figure.data) == len(PERCENTILE_COLUMNS)
    assert figure.data[-1].uid == "a1-p50", "nothing is drawn over the median"
    assert {trace.line.color for trace in figure.data} == {STYLE.color}
    bands = [(a.uid, b.uid) for a, b in zip(figure.data, figure.data[1:], strict=False) if b.fill == "tonexty"]
    assert bands == [("a1-p5", "a1-p95"), ("a1-p15", "a1-p85")]
    np.testing.assert_allclose(by_uid["a1-p50"].x, [0, 1])
    np.testing.assert_allclose(by_uid["a1-p50"].y, [0, ENDS[variable]])
    assert figure.layout.title.text == VARIABLE_TITLES[variable]
    assert not texts(figure)


@pytest.mark.parametrize("variable", VARIABLE_TITLES)
@pytest.mark.parametrize("frame", [frame_of(), frame_of(beta=1), frame_of(**dict.fromkeys(VARIABLE_TITLES, 1))])
def test_plotly_accepts_the_figure(frame: pd.DataFrame, variable: str) -> None:
    go.Figure(normalization_figure({"a1": frame}, variable, STYLES).to_dict())


def test_each_trace_draws_one_percentile() -> None:
    frame = normalization_frame(snapshots_of((0, "beta", [0, 100])), 1)
    figure = normalization_figure({"a1": frame}, "beta", STYLES)
    assert {trace.uid: trace.y.tolist() for trace in figure.data} == {f"a1-p{p}": [p] for p in PERCENTILES}


@pytest.mark.parametrize("variable", VARIABLE_TITLES)
def test_message_where_nothing_is_recorded(variable: str) -> None:
    nothing = normalization_frame(snapshots_of(), 10)
    figure = normalization_figure({"a1": nothing}, variable, STYLES)
    assert not figure.data
    assert texts(figure) == ["Nothing measured yet"]
    assert (
        normalization_alt({"a1": nothing}, variable, "bn_1", STYLES)
        == f"{VARIABLE_TITLES[variable]} of bn_1: nothing to show."
    )


def test_message_where_gamma_is_switched_off() -> None:
    frame = frame_of(beta=1, moving_mean=1, moving_variance=1)
    figure = normalization_figure({"a1": frame}, "gamma", STYLES)
    assert not figure.data
    assert texts(figure) == ["No gamma: scale is off"]
    assert normalization_figure({"a1": frame}, "beta", STYLES).data


def test_alt_has_the_last_median_and_band() -> None:
    frame = normalization_frame(snapshots_of((0, "moving_mean", [0, 0]), (5, "moving_mean", [0, 100])), 10)
    sentence = "moving mean of bn_1, the median at the end: With BN 50, 90 % between 5 and 95."
    assert normalization_alt({"a1": frame}, "moving_mean", "bn_1", STYLES) == sentence


@pytest.mark.parametrize("values", [[math.nan] * 4, [1, math.nan, 2, 3]])
def test_nan_can_be_drawn_and_sent(values: list[float]) -> None:
    frame = normalization_frame(snapshots_of((0, "gamma", [1, 1, 1, 1]), (1, "gamma", values)), 1)
    figure = normalization_figure({"a1": frame}, "gamma", STYLES)
    json.loads(figure_json(figure, uirevision="gamma"), parse_constant=pytest.fail)
    assert figure.data[-1].y[0] == 1
    assert math.isnan(figure.data[-1].y[1])


@pytest.mark.parametrize("values", [[math.inf] * 4, [1, math.inf, 2, 3], [-math.inf, math.inf, 2, 3]])
def test_infinities_can_be_drawn_and_sent(values: list[float]) -> None:
    frame = normalization_frame(snapshots_of((0, "gamma", [1, 1, 1, 1]), (1, "gamma", values)), 1)
    json.loads(
        figure_json(normalization_figure({"a1": frame}, "gamma", STYLES), uirevision="gamma"),
        parse_constant=pytest.fail,
    )


def test_runs_share_a_figure_each_in_its_color() -> None:
    figure = normalization_figure({"a1": frame_of(gamma=1), "b2": frame_of(gamma=2)}, "gamma", STYLES)
    medians = [trace for trace in figure.data if trace.uid.endswith("p50")]
    assert list(figure.data[-2:]) == medians, "nothing is drawn over the medians"
    assert [(trace.name, trace.line.color, trace.y[-1]) for trace in medians] == [
        ("With BN", "#0072B2", 1),
        ("Without", "#D55E00", 2),
    ]
    assert len({trace.uid for trace in figure.data}) == 2 * len(PERCENTILE_COLUMNS)


def test_a_run_without_the_layer_is_left_out() -> None:
    frames = {"a1": frame_of(gamma=1), "b2": frame_of()}
    figure = normalization_figure(frames, "gamma", STYLES)
    assert {trace.uid.split("-")[0] for trace in figure.data} == {"a1"}
    assert "Without" not in normalization_alt(frames, "gamma", "bn_1", STYLES)


def test_values_at_uses_the_latest_evaluation() -> None:
    snapshots = snapshots_of((0, "gamma", [1, 1]), (0, "beta", [0, 0]), (5, "gamma", [2, 3]))
    assert values_at(snapshots, "gamma", 4).tolist() == [1, 1]
    assert values_at(snapshots, "gamma", 5).tolist() == [2, 3]
    assert values_at(snapshots, "beta", 9).tolist() == [0, 0]
    assert values_at(snapshots, "moving_mean", 9).size == 0


@pytest.mark.parametrize(("end", "expected"), [(0.0, (-0.11, 0.11)), (2.0, None), (math.nan, (-0.11, 0.11))])
def test_constant_values_have_a_margin(end: float, expected: tuple[float, float] | None) -> None:
    frame = normalization_frame(snapshots_of((0, "beta", [0]), (1, "beta", [end])), 1)
    axis = normalization_figure({"a1": frame}, "beta", STYLES).layout.yaxis
    assert (limits(axis) if axis.autorange else None) == expected
