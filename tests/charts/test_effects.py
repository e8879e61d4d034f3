"""Effects: the positions of a condition's marks, for any unit and direction."""

import math
from typing import Any

import pandas as pd
import pytest

from bnlab.charts.effects import MARKS, effects_alt, effects_figure, effects_height
from tests.charts.snapshots import assert_drawable


def row(**changes: Any) -> dict[str, Any]:
    differences = changes.pop("differences", [-4.0, -6.0])
    return {
        "condition": "rate 0.1", "decides": True, "verdict": "supported", "words": "supported",
        "measure": "steps to 95 %", "unit": "steps",
        "control_name": "no BN", "treatment_name": "BN", "control": 10.0, "treatment": 5.0,
        "mean": sum(differences) / len(differences), "low": min(differences), "high": max(differences),
        "direction": -1, "smallest_effect": 2.0, "seeds": list(range(len(differences))), "differences": differences,
    } | changes  # fmt: skip


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(row()))


def positions(figure: Any, uid: str) -> list[float]:
    (trace,) = [trace for trace in figure.data if trace.uid == uid]
    return [round(math.sinh(x), 6) for x in trace.x]


def test_right_is_the_predicted_direction() -> None:
    fewer, more = row(), row(direction=+1, differences=[1.0, 3.0], verdict="too_few_seeds")
    figure = effects_figure(frame(fewer, more))
    assert positions(figure, "s0") == [2, 3]
    assert positions(figure, "m0") == [2.5]
    assert sorted(positions(figure, "i0")) == [2, 3]
    assert positions(figure, "s1") == [0.5, 1.5]
    assert_drawable(figure)
    colors = {trace.uid: trace.marker.color for trace in figure.data if trace.uid.startswith("m")}
    assert colors == {"m0": MARKS["supported"][0], "m1": MARKS["too_few_seeds"][0]}


def test_claims_of_no_difference_predict_the_middle() -> None:
    figure = effects_figure(frame(row(direction=0)))
    left, middle, right = figure.layout.shapes
    assert left.fillcolor == right.fillcolor != middle.fillcolor
    assert [round(math.sinh(end), 6) for end in (middle.x0, middle.x1)] == [-1, 1]
    assert positions(figure, "m0") == [-2.5]


def test_height_is_proportional_to_rows_and_font() -> None:
    one, two = frame(row()), frame(row(), row())
    assert len(effects_figure(one).data) == 1 + 3
    assert len(effects_figure(two).data) == 1 + 6
    assert effects_height(two) > effects_height(one)
    large = effects_figure(two, 26)
    assert large.layout.height == effects_height(two, 26) == 2 * effects_height(two)
    assert {annotation.font.size for annotation in large.layout.annotations} == {26}


def test_header_applies_to_all_rows() -> None:
    def headers(*directions: int) -> list[str]:
        words = effects_figure(frame(*(row(direction=direction) for direction in directions))).layout.annotations
        return [annotation.text for annotation in words][: -len(directions)]

    assert headers(+1, -1) == ["← the opposite", "too small to count", "as claimed →"]
    assert headers(0, 0) == ["different", "no difference that counts: as claimed", "different"]
    assert headers(-1, 0) == ["in the blue: as claimed"], "the middle is as claimed in one row, too small in the other"


@pytest.mark.parametrize("worst", [math.nan, math.inf, -math.inf, 1e300, 0.0])
def test_any_measured_value_can_be_drawn(worst: float) -> None:
    lost = row(
        differences=[worst, 1.0],
        mean=worst,
        low=-math.inf,
        high=math.inf,
        verdict="too_few_seeds",
        words="not enough seeds",
    )
    figure = effects_figure(frame(lost))
    assert_drawable(figure)
    edge = figure.layout.xaxis.range[1]
    assert all(abs(x) <= edge for trace in figure.data if trace.uid == "i0" for x in trace.x)
    assert "not enough seeds." in effects_alt(frame(lost))


def test_message_where_nothing_is_measured() -> None:
    assert effects_figure(frame()).layout.annotations[0].text == "Nothing has been measured yet"
    assert effects_alt(frame()) == "Nothing has been measured yet."


def test_alt_has_effect_and_verdict() -> None:
    assert effects_alt(frame(row())) == "rate 0.1: −5 (−6 to −4) steps, supported."
    assert effects_alt(frame(row(differences=[2.0, 2.0]))) == "rate 0.1: +2 steps, supported."
