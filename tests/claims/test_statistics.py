"""Confidence intervals: their coverage in simulations, and their limits in edge cases."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnlab.claims.statistics import (
    Interval,
    _limits,
    confidence_interval,
    exact_interval,
    holm_intervals,
    paired_differences,
)

SIMULATIONS = 300
THREE_SD = 3 * 100 * math.sqrt(0.05 * 0.95 / SIMULATIONS)  # of a coverage of 95 %, in points
FINITE = st.floats(-1e6, 1e6)


def sample(kind: str, n: int) -> tuple[np.ndarray, float]:
    """Values of shape `[simulations, n]` and the true mean of their distribution."""
    rng = np.random.default_rng([n, len(kind)])
    if kind == "normal":
        return rng.normal(3, 2, (SIMULATIONS, n)), 3.0
    if kind == "heavy tails":
        return rng.standard_t(3, (SIMULATIONS, n)), 0.0
    return rng.exponential(size=(SIMULATIONS, n)), 1.0


@pytest.mark.parametrize(("kind", "n"), [("normal", 5), ("normal", 10), ("normal", 20), ("heavy tails", 5)])
def test_coverage_is_95_percent(kind: str, n: int) -> None:
    values, mean = sample(kind, n)
    low, high = _limits(values)
    assert 100 * np.mean((low <= mean) & (mean <= high)) == pytest.approx(95, abs=THREE_SD)


@pytest.mark.parametrize(("n", "min_coverage"), [(5, 86), (20, 91)])
def test_coverage_of_skewed_values(n: int, min_coverage: float) -> None:
    values, mean = sample("skewed", n)
    low, high = _limits(values)
    assert min_coverage <= 100 * np.mean((low <= mean) & (mean <= high)) <= 98


def test_more_values_give_a_narrower_interval() -> None:
    widths = [confidence_interval([1.0, 2.0, 3.0, 4.0, 6.0] * times).width for times in (1, 2, 4, 8)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < widths[0] / 3


def test_interval_is_at_least_as_wide_as_students_t() -> None:
    interval = confidence_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    margin = 2.776445 * np.std([1, 2, 3, 4, 5], ddof=1) / math.sqrt(5)
    assert interval.mean == 3
    assert interval.low == pytest.approx(3 - margin, rel=1e-6)
    assert interval.high == pytest.approx(3 + margin, rel=1e-6)


def test_interval_of_skewed_values_is_asymmetric() -> None:
    interval = confidence_interval([0.0] * 7 + [10.0])
    assert interval.high - interval.mean > interval.mean - interval.low


@pytest.mark.parametrize("values", [[], [2.0], [1.0, math.nan, 2.0], [1.0, 2.0, math.inf]])
def test_too_few_or_infinite_values_give_an_unbounded_interval(values: list[float]) -> None:
    interval = confidence_interval(values)
    assert (interval.low, interval.high, interval.n) == (-math.inf, math.inf, len(values))
    assert math.isfinite(interval.mean) == (values == [2.0])


def test_equal_values_give_zero_width() -> None:
    assert confidence_interval([0.5] * 5) == Interval(0.5, 0.5, 0.5, 5)
    assert confidence_interval([0.1 + 0.2, 0.3, 0.3]).width == 0
    assert confidence_interval([0.0, 0.0]) == Interval(0, 0, 0, 2)


def test_exact_interval_of_one_value() -> None:
    assert exact_interval([2.0]) == Interval(2, 2, 2, 1)


@settings(max_examples=25)
@given(values=st.lists(FINITE, min_size=2, max_size=6))
def test_interval_contains_the_mean_and_is_deterministic(values: list[float]) -> None:
    interval = confidence_interval(values)
    slack = 1e-9 * max(map(abs, values))
    assert interval.low - slack <= interval.mean <= interval.high + slack
    assert interval == confidence_interval(values)


def test_paired_differences() -> None:
    assert paired_differences([3.0, 5.0], [1.0, 9.0]) == [2.0, -4.0]
    with pytest.raises(ValueError, match="zip"):
        paired_differences([1.0], [])


def test_holm_shares_the_error_among_what_is_undecided() -> None:
    certain, unclear = [10.0, 10.1, 9.9, 10.0, 10.05], [0.4, 1.0, 0.1, 0.9, 0.5]
    asked: list[tuple[int, float]] = []

    def is_decided(index: int, interval: Interval) -> bool:
        asked.append((index, interval.width))
        return interval.low > 1

    intervals = holm_intervals([unclear, certain, unclear, certain], is_decided)
    assert [index for index, _ in asked] == [0, 1, 2, 3, 0, 2]
    assert intervals[1] == confidence_interval(certain, 1 - 0.05 / 4)
    assert intervals[0] == intervals[2] == confidence_interval(unclear, 1 - 0.05 / 2)
    assert holm_intervals([unclear], is_decided) == [confidence_interval(unclear)]
    assert holm_intervals([], is_decided) == []


@pytest.mark.parametrize("effects", [[0.999] * 8, [0.0] * 8, [0.999] * 4 + [5.0] * 4])
def test_verdicts_on_all_conditions_are_right_together(effects: list[float]) -> None:
    """Samples of 5 with standard deviation 1 around `effects`; wrong is that one below 1 is found to be above."""
    rng = np.random.default_rng(len(set(effects)))
    wrong = 0
    for _ in range(SIMULATIONS):
        samples = [rng.normal(effect, 1, 5).tolist() for effect in effects]
        intervals = holm_intervals(samples, lambda _index, interval: interval.low >= 1)
        wrong += any(interval.low >= 1 > effect for interval, effect in zip(intervals, effects, strict=True))
    assert 100 * wrong / SIMULATIONS <= 5 + THREE_SD
