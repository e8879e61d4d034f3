"""A claim's values, verdicts and training cost as text."""

import pytest

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.formatting import (
    VERDICT_STYLES,
    cost_text,
    duration_text,
    format_difference,
    format_thresholds,
    format_value,
    verdict_counts_text,
)
from bnlab.claims.recorded import recorded_results
from bnlab.claims.verdicts import Verdict


@pytest.mark.parametrize(
    ("number", "value", "difference"),
    [
        (97.3612, "97.36", "+97.4"),
        (266_610.4, "266,610", "+266,610"),
        (-4758.2, "−4,758", "−4,758"),
        (0.00001218, "1.218e−05", "+1.22e−05"),
        (0, "0", "0"),
        (-0.0, "0", "0"),
    ],
)
def test_values_and_differences_are_short(number: float, value: str, difference: str) -> None:
    assert (format_value(number), format_difference(number)) == (value, difference)


@pytest.mark.parametrize(("seconds", "text"), [(7.6, "8 s"), (119, "119 s"), (150, "2 min"), (9_000, "2.5 h")])
def test_unit_of_a_duration_depends_on_its_length(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_thresholds_with_the_same_reason_are_on_one_line() -> None:
    (threshold,) = format_thresholds(CLAIMS["D1"])
    assert threshold.startswith("+1 operations, +1 parameters, +1 layers: ")
    assert [line.split(":")[0] for line in format_thresholds(CLAIMS["A2"])] == ["−172 steps", "−0.1 s", "+0.3 points"]


@pytest.mark.parametrize("name", CLAIMS)
def test_each_reason_appears_once(name: str) -> None:
    lines = format_thresholds(CLAIMS[name])
    reasons = {condition.prediction.reason for condition in CLAIMS[name].conditions}
    assert len(lines) == len(reasons)
    assert all(reason in "".join(lines) for reason in reasons)


def test_every_verdict_has_a_style() -> None:
    assert set(VERDICT_STYLES) == set(Verdict)


def test_verdict_counts_name_the_shorter_list_of_conditions() -> None:
    results = recorded_results()
    assert verdict_counts_text(results["O1"]) == ""
    assert verdict_counts_text(results["A2"]).endswith("It holds except for: rate 0.1, final validation accuracy.")
    assert "It holds for: 10 sigmoid layers, at initialization;" in verdict_counts_text(results["A3"])


def test_cost_counts_runs_and_briefly_trained_networks() -> None:
    results = recorded_results()
    assert "10 seeds; 20 networks trained for up to 100 steps" in cost_text(results["O3"])
    assert "240 runs" in cost_text(results["A4"])
