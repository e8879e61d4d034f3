"""A claim's amounts in words."""

from itertools import chain

import pytest

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.formatting import format_value, format_difference, format_thresholds


@pytest.mark.parametrize(
    ("value", "words", "difference"),
    [
        (97.3612, "97.36", "+97.4"),
        (266_610.4, "266,610", "+266,610"),
        (-4758.2, "−4,758", "−4,758"),
        (0.00001218, "1.218e−05", "+1.22e−05"),
        (0, "0", "0"),
        (-0.0, "0", "0"),
    ],
)
def test_numbers_are_short_and_large_ones_whole(value: float, words: str, difference: str) -> None:
    assert (format_value(value), format_difference(value)) == (words, difference)


def test_effects_that_share_a_reason_are_told_together() -> None:
    (complexity,) = format_thresholds(CLAIMS["D1"])
    assert complexity.startswith("+1 operations, +1 parameters, +1 layers: These are counted")
    assert [words.split(":")[0] for words in format_thresholds(CLAIMS["A2"])] == ["−172 steps", "−0.1 s", "+0.3 points"]


@pytest.mark.parametrize("name", CLAIMS)
def test_every_reason_is_told_once(name: str) -> None:
    told = format_thresholds(CLAIMS[name])
    reasons = {condition.prediction.reason for condition in CLAIMS[name].conditions}
    assert len(told) == len(reasons)
    assert all(reason in "".join(chain(told)) for reason in reasons)
