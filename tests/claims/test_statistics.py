"""Confidence intervals: their coverage by simulation, and what becomes of values that say little."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnlab.claims.statistics import Interval, _limits, confidence_interval, exact_interval, paired_differences

SIMULATIONS = 300
THREE_SD = 3 * 100 * math.sqrt(0.05 * 0.95 / SIMULATIONS)  # of a coverage of 95 %, in points
FINITE = st.floats(-1e6, 1e6)


def drawn(kind: str, n: int) -> tuple[np.ndarray, float]:
    """Values `[simulations, n]` and the true mean they are drawn about."""
    rng = np.random.default_rng([n, len(kind)])
    if kind == "normal":
        return rng.normal(3, 2, (SIMULATIONS, n)), 3.0
    if kind == "heavy tails":
        return rng.standard_t(3, (SIMULATIONS, n)), 0.0
    return rng.exponential(size=(SIMULATIONS, n)), 1.0


@pytest.mark.parametrize(("kind", "n"), [("normal", 5), ("normal", 10), ("normal", 20), ("heavy tails", 5)])
def test_95_of_100_intervals_cover_the_true_mean(kind: str, n: int) -> None:
    values, mean = drawn(kind, n)
    low, high = _limits(values)
    assert 100 * np.mean((low <= mean) & (mean <= high)) == pytest.approx(95, abs=THREE_SD)


@pytest.mark.parametrize(("n", "least"), [(5, 86), (20, 91)])
def test_few_skewed_values_are_covered_somewhat_less_and_more_with_each_seed(n: int, least: float) -> None:
    values, mean = drawn("skewed", n)
    low, high = _limits(values)
    assert least <= 100 * np.mean((low <= mean) & (mean <= high)) <= 98


def test_more_seeds_make_it_narrower() -> None:
    widths = [confidence_interval([1.0, 2.0, 3.0, 4.0, 6.0] * times).width for times in (1, 2, 4, 8)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < widths[0] / 3


def test_students_t_is_its_least_reach() -> None:
    interval = confidence_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    reach = 2.776445 * np.std([1, 2, 3, 4, 5], ddof=1) / math.sqrt(5)
    assert interval.mean == 3
    assert interval.low == pytest.approx(3 - reach, rel=1e-6)
    assert interval.high == pytest.approx(3 + reach, rel=1e-6)


def test_skew_is_followed() -> None:
    interval = confidence_interval([0.0] * 7 + [10.0])
    assert interval.high - interval.mean > interval.mean - interval.low


@pytest.mark.parametrize("values", [[], [2.0], [1.0, math.nan, 2.0], [1.0, 2.0, math.inf]])
def test_where_nothing_can_be_said_it_is_unbounded(values: list[float]) -> None:
    interval = confidence_interval(values)
    assert (interval.low, interval.high, interval.n) == (-math.inf, math.inf, len(values))
    assert math.isfinite(interval.mean) == (values == [2.0])


def test_equal_values_have_no_width() -> None:
    assert confidence_interval([0.5] * 5) == Interval(0.5, 0.5, 0.5, 5)
    assert confidence_interval([0.1 + 0.2, 0.3, 0.3]).width == 0
    assert confidence_interval([0.0, 0.0]) == Interval(0, 0, 0, 2)


def test_what_is_counted_is_exact_with_one_seed() -> None:
    assert exact_interval([2.0]) == Interval(2, 2, 2, 1)


@settings(max_examples=25)
@given(values=st.lists(FINITE, min_size=2, max_size=6))
def test_any_numbers_have_an_interval_around_their_mean_and_always_the_same(values: list[float]) -> None:
    interval = confidence_interval(values)
    slack = 1e-9 * max(map(abs, values))
    assert interval.low - slack <= interval.mean <= interval.high + slack
    assert interval == confidence_interval(values)


def test_pairs_are_pairs() -> None:
    assert paired_differences([3.0, 5.0], [1.0, 9.0]) == [2.0, -4.0]
    with pytest.raises(ValueError, match="zip"):
        paired_differences([1.0], [])
