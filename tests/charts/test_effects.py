"""Effects: the positions of the dumbbells, with better to the right, and their texts."""

import math
import re
from typing import Any

import pandas as pd
import pytest

from bnlab.charts.effects import (
    arm_names_html,
    better_text,
    difference_text,
    effect_text,
    effects_html,
    scale_of,
    values_html,
)
from bnlab.claims.recorded import recorded_results
from bnlab.claims.results import conditions_frame


def row(**changes: Any) -> dict[str, Any]:
    control, treatment = changes.get("control", 1233.0), changes.get("treatment", 621.0)
    difference = treatment - control
    return {
        "condition": "rate 0.1", "group": "", "verdict": "supported", "words": "supported",
        "measure": "steps to 95 %", "arm_unit": "steps", "unit": "steps", "better": "lower",
        "control_name": "no BN", "treatment_name": "BN", "control": control, "treatment": treatment,
        "control_low": control - 5, "control_high": control + 5,
        "treatment_low": treatment - 5, "treatment_high": treatment + 5,
        "mean": difference, "low": difference - 10, "high": difference + 20, "smallest_effect": 2.0, "seeds": [0, 1],
    } | changes  # fmt: skip


def points(**changes: Any) -> dict[str, Any]:
    accuracy = {"arm_unit": "%", "unit": "points", "better": "higher", "measure": "accuracy", "smallest_effect": 0.3}
    return row(**accuracy | {"control": 97.25, "treatment": 97.91} | changes)


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(row()))


def dots(html: str, arm: str) -> list[float]:
    return [float(left) for left in re.findall(rf'<b class="{arm}" style="left:([\d.]+)%"', html)]


def test_better_is_to_the_right() -> None:
    fewer, more, worse = row(), points(), points(control=97.0, treatment=96.0)
    for better, is_right in ((fewer, True), (more, True), (worse, False), (row(better="neither"), False)):
        html = effects_html(frame(better))
        assert (dots(html, "treatment") > dots(html, "control")) is is_right


def test_words_and_sides_agree_in_every_recorded_condition() -> None:
    results = recorded_results().values()
    for recorded in [row for result in results for row in conditions_frame(result).to_dict("records")]:
        html = effects_html(pd.DataFrame([recorded]))
        (control,), (treatment,) = dots(html, "control"), dots(html, "treatment")
        text = difference_text(recorded)
        if text == "equal":
            assert control == treatment
            continue
        is_more = " more" in text.split(" (")[0] or " higher" in text.split(" (")[0]
        is_right = is_more if recorded["better"] in ("higher", "neither") else not is_more
        assert (treatment >= control) if is_right else (treatment <= control)
        assert is_more == (recorded["treatment"] > recorded["control"])


def test_rows_of_one_unit_share_an_axis() -> None:
    html = effects_html(frame(row(), points(), row(control=621.0, treatment=400.0)))
    assert html.count("<table") == 2
    first, _ = html.split("</table>", 1)
    assert dots(first, "treatment")[0] == dots(first, "control")[1]
    assert "fewer is better" in first
    assert html.count("better →") == 2


def test_labels_do_not_repeat_the_heading() -> None:
    html = effects_html(frame(points(condition="rate 0.1, accuracy"), points(condition="rate 0.01, accuracy")))
    assert re.findall(r'scope="row">(.*?)</th>', html) == ["rate 0.1", "rate 0.01"]
    after = [points(condition=f"pair, shift, after {n} steps", measure=f"shift, after {n} steps") for n in (10, 100)]
    html = effects_html(frame(*after))
    assert re.findall(r'scope="row">(.*?)</th>', html) == ["pair, after 10 steps", "pair, after 100 steps"]
    assert "<b>Shift, %</b>" in html


def test_rows_are_headed_by_their_group() -> None:
    html = effects_html(frame(points(group="ReLU"), points(group="ReLU"), points(group="sigmoid")))
    assert re.findall(r'scope="rowgroup">(.*?)</th>', html) == ["ReLU", "sigmoid"]


def test_arms_are_named_once_or_in_each_row() -> None:
    assert effects_html(frame(points(), points())).count("● no BN") == 1
    mixed = effects_html(frame(points(), points(treatment_name="BN after")))
    assert "● no BN" not in mixed
    assert "no BN → BN after" in mixed


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "612 steps fewer (592 to 622)"),
        ({"treatment": 1240.0}, "7 steps more (3 fewer to 27 more)"),
        ({"unit": "s", "control": 1.0, "treatment": 2.0, "low": 0.9, "high": 1.1}, "1 s more (0.9 to 1.1)"),
        ({"unit": "", "control": 0.5, "treatment": 5.0, "low": 4.5, "high": 4.5}, "4.5 higher"),
        ({"mean": 0.0, "low": 0.0, "high": 0.0}, "equal"),
        ({"low": -math.inf, "high": math.inf}, "612 steps fewer (interval unbounded)"),
        ({"mean": math.nan}, "not finite"),
        ({"mean": -611.94, "low": -817.1, "high": -406.66, "smallest_effect": 172}, "612 steps fewer (407 to 817)"),
        (
            {"unit": "", "mean": 0.057, "low": 0.0012, "high": 0.112, "smallest_effect": 0.5},
            "0.06 higher (0.001 to 0.11)",
        ),
    ],
)
def test_differences_in_words(changes: dict[str, Any], text: str) -> None:
    assert difference_text(row(**changes)) == text


def test_sentence_has_both_arms_and_the_difference() -> None:
    assert effect_text(row()) == "rate 0.1: 1,233 steps (no BN), 621 steps (BN); 612 steps fewer (592 to 622)."
    assert re.sub("<.*?>", "", values_html(row())) == "1,233 → 621 steps"
    assert re.sub("<.*?>", "", values_html(points())) == "97.25 → 97.91 %"
    assert better_text(points()) == "higher is better"


def test_a_negligible_difference_looks_like_one() -> None:
    scale = scale_of([97.70, 97.72], 0.3, "higher")
    assert abs(scale.position(97.72) - scale.position(97.70)) < 2
    assert scale_of([0.1, 0.2], 1.0, "lower").low <= 0


def test_ticks_are_round_and_on_the_axis() -> None:
    scale = scale_of([1.0, 12_000.0], 100, "lower")
    assert scale.ticks() == [0, 5_000, 10_000]
    positions = [scale.position(tick) for tick in scale.ticks()]
    assert positions == sorted(positions, reverse=True)
    assert scale_of([97.0, 98.0], 0.1, "higher").ticks() == pytest.approx([97, 97.2, 97.4, 97.6, 97.8, 98])


@pytest.mark.parametrize("worst", [math.nan, math.inf, -math.inf, 1e300, 0.0])
def test_any_measured_value_can_be_drawn(worst: float) -> None:
    html = effects_html(frame(points(treatment=worst, treatment_low=-math.inf, treatment_high=math.inf, mean=worst)))
    assert all(0 <= left <= 100 for arm in ("control", "treatment") for left in dots(html, arm))
    assert "nan" not in html


def test_arms_are_named_with_the_signs_of_their_dots() -> None:
    html = arm_names_html(row(control_name="with <a> bias", treatment_name="without"))
    assert re.findall(r'<span class="(\w+)">(.) (.*?)</span>', html) == [
        ("control", "●", "with &lt;a&gt; bias"),
        ("treatment", "◆", "without"),
    ]


def test_texts_are_escaped() -> None:
    html = effects_html(frame(row(condition="<b>1</b>", group='"x"', control_name="<i>")))
    assert "<b>1</b>" not in html
    assert "&lt;b&gt;1" in html
    assert "<i>" not in html


def test_message_where_nothing_is_measured() -> None:
    assert "Nothing has been measured yet" in effects_html(frame())
