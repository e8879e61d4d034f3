"""The depth X-ray's charts: a line a network and step, through the hidden layers."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from bnlab.charts.depth_profile import (
    MARKS,
    MIN_OPACITY,
    QUANTITIES,
    after_steps_text,
    gap_text,
    profile_alt,
    profile_figure,
    profile_frame,
)
from bnlab.runs.diagnostics import PROFILE_COLUMNS
from tests.charts.snapshots import STYLES, assert_drawable, texts
from tests.sentences import names_in_order, numbers_in
from tests.slow import all_but_one_slow


def measured(values: dict[int, list[float]]) -> list[pd.DataFrame]:
    """As `bnlab.runs.diagnostics.measure_depth_profile` makes them, a frame a step; all measures are the same."""
    columns = ["step", "depth", "layer", *PROFILE_COLUMNS]
    return [
        pd.DataFrame(
            [
                (step, depth, f"dense_{depth}", *[value] * len(PROFILE_COLUMNS))
                for depth, value in enumerate(norms, start=1)
            ],
            columns=columns,
        )
        for step, norms in values.items()
    ]


def test_every_measure_has_its_chart() -> None:
    assert tuple(QUANTITIES) == PROFILE_COLUMNS


def test_steps_and_layers_are_in_order() -> None:
    frame = profile_frame(measured({10: [3, 4], 0: [1, 2]}), "dead")
    assert frame.to_dict("list") == {"step": [0, 0, 10, 10], "depth": [1, 2, 1, 2], "value": [1.0, 2.0, 3.0, 4.0]}


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_line_for_each_network_and_step(quantity: str) -> None:
    values = {0: [9.0, 0.1, 0.2], 10: [9.0, 0.3, 0.4]}
    frames = {run: profile_frame(measured(values), quantity) for run in STYLES}
    figure = profile_figure(frames, quantity, STYLES, [0, 10])
    assert_drawable(figure)
    assert [trace.uid for trace in figure.data] == ["a1-0", "a1-10", "b2-0", "b2-10"]
    assert [trace.line.color for trace in figure.data] == ["#0072B2"] * 2 + ["#D55E00"] * 2
    assert [trace.opacity for trace in figure.data[:2]] == [MIN_OPACITY, 1]
    assert [trace.marker.symbol for trace in figure.data[:2]] == [mark.symbol for mark in MARKS[:2]]
    assert figure.data[1].name == "With BN, after 10 steps"
    assert figure.data[1].y.tolist()[-2:] == pytest.approx([0.3, 0.4])
    assert figure.data[1].x.tolist() == [1, 2, 3][QUANTITIES[quantity].first - 1 :], "nothing shifts the first layer"
    assert (figure.layout.yaxis.type == "log") == QUANTITIES[quantity].is_log


def test_mark_depends_on_the_step_alone() -> None:
    frames = {"a1": profile_frame(measured({100: [1.0]}), "gradient_norm")}
    (line,) = profile_figure(frames, "gradient_norm", STYLES, [0, 1, 100]).data
    assert (line.marker.symbol, line.opacity) == (MARKS[2].symbol, 1)


@pytest.mark.parametrize(
    ("quantity", "worst"), all_but_one_slow(itertools.product(QUANTITIES, [math.inf, 0.0, -0.0, math.nan, 1e-40]))
)
def test_any_measured_value_can_be_drawn(quantity: str, worst: float) -> None:
    for values in ([worst, 1.0], [worst]):
        frames = {"a1": profile_frame(measured({0: values}), quantity)}
        assert_drawable(profile_figure(frames, quantity, STYLES, [0]))
        alt = profile_alt(frames, quantity, STYLES)
        assert alt.startswith(QUANTITIES[quantity].title)
        assert alt.endswith(".")


@pytest.mark.parametrize(
    ("values", "quantity", "message"),
    [
        ({}, "gradient_norm", "Not measured yet"),
        ({0: [math.nan, math.nan]}, "dead", "Not finite: the training diverged"),
        ({0: [0.0, 0.0]}, "gradient_norm", "No gradient reaches any layer"),
        ({0: [0.0, 0.0]}, "dead", "No dead units"),
    ],
)
def test_message_in_place_of_an_empty_chart(values: dict[int, list[float]], quantity: str, message: str) -> None:
    frames = {"a1": profile_frame(measured(values), quantity)}
    assert texts(profile_figure(frames, quantity, STYLES, [0])) == [message]
    assert profile_alt(frames, quantity, STYLES) == f"{QUANTITIES[quantity].title}: {message}."


def test_alt_names_the_ends_of_each_step() -> None:
    frames = {"a1": profile_frame(measured({0: [0.5, 0.25], 1: [0.1, 0.0]}), "dead"), "b2": pd.DataFrame()}
    alt = profile_alt(frames, "dead", STYLES)
    assert names_in_order(
        alt, "Dead units", "With BN", "50.0%", "25.0%", after_steps_text(0), "10.0%", "0.0%", after_steps_text(1)
    )
    assert "Dead units" in profile_alt({}, "dead", STYLES)
    assert numbers_in(profile_alt({}, "dead", STYLES)) == []


def test_gap_text_names_networks_and_steps() -> None:
    values = {0: [0.5, 0.25], 1: [0.1, 0.0], 10: [math.nan, math.inf]}
    frames = {"a1": profile_frame(measured(values), "gradient_norm"), "b2": pd.DataFrame()}
    text = gap_text(frames, "gradient_norm", STYLES)
    assert names_in_order(text, "0", "With BN", after_steps_text(1), "not finite", "With BN", after_steps_text(10))
    dead = profile_figure(frames, "gradient_norm", STYLES, [0, 1, 10]).data[1]
    assert 0 < dead.y[1] < dead.y[0] == np.float32(0.1)
    assert dead.customdata.tolist() == [np.float32(0.1), 0]
    shares = {"a1": profile_frame(measured(values), "dead")}
    text = gap_text(shares, "dead", STYLES)
    assert names_in_order(text, "not finite", "With BN", after_steps_text(10))
    assert after_steps_text(1) not in text
    assert profile_alt(shares, "dead", STYLES).endswith(f"not finite {after_steps_text(10)}.")
    lost = {"a1": profile_frame(measured({0: [math.nan]}), "dead")}
    assert gap_text(lost, "dead", STYLES) == "", "the chart itself says it"


def test_after_steps_text() -> None:
    assert [after_steps_text(step) for step in (0, 1, 1_000)] == ["at the start", "after 1 step", "after 1,000 steps"]
