"""Verdicts on conditions and how they are combined."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.claims.statistics import Interval, confidence_interval
from bnlab.claims.verdicts import Verdict, combine, condition_text, judge, verdict_text

S, C, N, T = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.NO_DIFFERENCE, Verdict.TOO_FEW_SEEDS
ENDS = st.tuples(st.floats(-5, 5), st.floats(-5, 5)).map(sorted)


def make_interval(low: float, high: float, n: int = 5) -> Interval:
    return Interval((low + high) / 2, low, high, n)


@pytest.mark.parametrize(
    ("low", "high", "more", "less", "same"),
    [
        (1.0, 3.0, S, C, C),
        (0.9, 3.0, T, T, T),  # a difference, which may be too small to count
        (0.1, 0.9, N, N, S),
        (-0.9, 0.9, N, N, S),
        (-0.2, 1.5, N, N, T),  # narrow enough to fit between the smallest effects
        (-1.0, 1.5, T, T, T),  # too wide
        (-3.0, -1.0, C, S, C),
        (0.0, 0.0, N, N, S),
        (-math.inf, math.inf, T, T, T),
    ],
)
def test_verdict_depends_on_the_position_of_the_interval(
    low: float, high: float, more: Verdict, less: Verdict, same: Verdict
) -> None:
    assert [judge(make_interval(low, high), direction, 1.0) for direction in (1, -1, 0)] == [more, less, same]


@pytest.mark.parametrize(("direction", "effect"), [(2, 1.0), (1, 0.0), (1, -1.0), (0, math.nan)])
def test_invalid_predictions_are_rejected(direction: int, effect: float) -> None:
    with pytest.raises(ValueError, match="smallest effect"):
        judge(make_interval(0, 1), direction, effect)


@given(ends=ENDS, effect=st.floats(0.01, 3))
def test_opposite_predictions_have_opposite_verdicts(ends: list[float], effect: float) -> None:
    more, less = (judge(make_interval(*ends), direction, effect) for direction in (1, -1))
    assert less == {S: C, C: S}.get(more, more)


@pytest.mark.parametrize("effect", [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_disjoint_seeds_do_not_give_opposite_verdicts(effect: float, seeds: int) -> None:
    """Two samples with standard deviation 1 around `effect`, in 8 repetitions."""
    rng = np.random.default_rng([seeds, int(10 * effect + 100)])
    for _ in range(8):
        verdicts = {judge(confidence_interval(rng.normal(effect, 1, seeds).tolist()), 1, 1.0) for _ in range(2)}
        assert not {S, C} <= verdicts


def test_enough_seeds_give_the_true_verdict() -> None:
    rng = np.random.default_rng(0)
    verdicts = {
        effect: judge(confidence_interval(rng.normal(effect, 1, 60).tolist()), 1, 1.0) for effect in (-2.0, 0.0, 2.0)
    }
    assert verdicts == {-2.0: C, 0.0: N, 2.0: S}


@pytest.mark.parametrize(
    ("verdicts", "combined"),
    [
        ([S, S], S),
        ([C, C], C),
        ([N, N], N),
        ([C, N], C),
        ([S, C], Verdict.CONDITIONAL),
        ([S, N], Verdict.CONDITIONAL),
        ([S, N, T], Verdict.CONDITIONAL),
        ([S, T], T),
        ([C, T], T),
        ([T], T),
        ([], T),
    ],
)
def test_combine(verdicts: list[Verdict], combined: Verdict) -> None:
    assert combine(verdicts) is combined


@pytest.mark.parametrize(
    ("verdict", "low", "text"),
    [(N, 0.1, "too small to matter"), (N, -0.1, "no difference"), (S, 0.1, "supported")],
)
def test_condition_text_distinguishes_a_small_difference_from_none(verdict: Verdict, low: float, text: str) -> None:
    assert condition_text(verdict, Interval(0.2, low, 0.3, 3)) == text


def test_conditional_text_names_the_supporting_conditions() -> None:
    assert verdict_text(Verdict.CONDITIONAL, ["raw", "unit"]) == "true in part: raw; unit"
    assert verdict_text(N, []) == "no difference"
