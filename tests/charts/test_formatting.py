"""Numbers as they stand in sentences."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.formatting import format_fixed, format_power, format_digits, format_signed


@given(st.floats(-1e300, 1e300), st.integers(0, 6))
def test_nothing_is_a_negative_zero(value: float, places: int) -> None:
    for words in (format_fixed(value, places), format_digits(value, places + 1)):
        assert not re.fullmatch(r"−[0.]+", words)
        assert "-" not in words
        assert float(words.replace("−", "-")) == pytest.approx(value, rel=0.51, abs=0.51)


@pytest.mark.parametrize(
    ("value", "decimals", "words"), [(-0.001, 2, "0.00"), (-0.006, 2, "−0.01"), (-1e300, 0, f"−{int(1e300)}")]
)
def test_decimals(value: float, decimals: int, words: str) -> None:
    assert format_fixed(value, decimals) == words


@pytest.mark.parametrize(
    ("value", "words"), [(-0.0, "0"), (-0.01234, "−0.0123"), (-1.5e-6, "−1.5e−06"), (float("nan"), "nan")]
)
def test_digits(value: float, words: str) -> None:
    assert format_digits(value) == words


@pytest.mark.parametrize(
    ("value", "decimals", "words"),
    [(1.7e-6, 1, "1.7 × 10⁻⁶"), (-2.04e12, 0, "−2 × 10¹²"), (-3e-12, 0, "−3 × 10⁻¹²"), (0.0, 1, "0"), (-0.0, 1, "0")],
)
def test_powers_of_ten(value: float, decimals: int, words: str) -> None:
    assert format_power(value, decimals) == words


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
    assert format_signed(value) == text
