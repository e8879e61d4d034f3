"""Numbers as people write them."""

import math

import pytest

from bnlab.charts.numbers import power, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (2.0, "+2"),
        (-0.4249, "−0.425"),
        (3.14159, "+3.14"),
        (-31.4159, "−31.4"),
        (1234.5, "+1,234"),
        (0.000017, "+1.7 × 10⁻⁵"),
        (math.nan, "not a number"),
        (-math.inf, "not a number"),
    ],
)
def test_a_difference_has_its_sign(value: float, text: str) -> None:
    assert signed(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (1.7e-6, "1.7 × 10⁻⁶"), (2e12, "2.0 × 10¹²")])
def test_powers_of_ten(value: float, text: str) -> None:
    assert power(value) == text
