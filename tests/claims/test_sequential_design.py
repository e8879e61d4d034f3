"""The sequential rule: its looks, its error over all of them in simulations, and its power."""

import math

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from bnlab.claims.sequential_design import MAX_LOOKS, error_share, look_at, next_seeds
from bnlab.claims.statistics import CONFIDENCE, Interval, confidence_interval
from bnlab.claims.verdicts import Verdict, judge

ALPHA = 1 - CONFIDENCE
FIRST = 10
LOOKS = [FIRST * 2**index for index in range(MAX_LOOKS)]
SIMULATIONS = 1_000
THREE_SD = 3 * math.sqrt(ALPHA * CONFIDENCE / SIMULATIONS)
EFFECT = 0.3  # the smallest one of interest, in standard deviations of the differences


def final_verdicts(mean: float, direction: int, share: float | None = None, simulations: int = SIMULATIONS) -> dict:
    """How many experiments end with each verdict and number of seeds; differences are normal with deviation 1.

    The intervals are Student's t, of which those of bnlab are never narrower. `share` replaces that of each look.
    """
    rng = np.random.default_rng([int(100 * mean + 1000), direction + 1])
    samples = rng.normal(mean, 1, (simulations, LOOKS[-1]))
    counts: dict[tuple[Verdict, int], int] = {}
    for sample in samples:
        for look, seeds in enumerate(LOOKS, 1):
            level = ALPHA * (error_share(look) if share is None else share)
            values = sample[:seeds]
            margin = QUANTILES[seeds, level] * values.std(ddof=1) / math.sqrt(seeds)
            center = float(values.mean())
            verdict = judge(Interval(center, center - margin, center + margin, seeds), direction, EFFECT)
            if verdict is not Verdict.TOO_FEW_SEEDS or seeds == LOOKS[-1]:
                counts[verdict, seeds] = counts.get((verdict, seeds), 0) + 1
                break
    return counts


QUANTILES = {
    (seeds, ALPHA * share): float(stats.t.ppf(1 - ALPHA * share / 2, seeds - 1))
    for seeds in LOOKS
    for share in {1.0, *map(error_share, range(1, MAX_LOOKS + 1))}
}


def share_of(verdict: Verdict, counts: dict, until: int = LOOKS[-1]) -> float:
    decided = sum(count for (found, seeds), count in counts.items() if found is verdict and seeds <= until)
    return decided / sum(counts.values())


def test_looks_double_the_seeds_up_to_the_limit() -> None:
    assert [look_at(seeds, 5) for seeds in (1, 5, 6, 10, 20, 21, 40, 41, 100)] == [1, 1, 2, 2, 3, 4, 4, 4, 4]
    assert [next_seeds(seeds, 5) for seeds in (5, 10, 20, 40)] == [10, 20, 40, None]
    assert next_seeds(7, 5) == 20, "7 seeds have spent the error of the look at 10"


def test_looks_spend_the_error_once() -> None:
    shares = [error_share(look) for look in range(1, MAX_LOOKS + 1)]
    assert shares == [0.5, 0.25, 0.125, 0.125]


@pytest.mark.parametrize(
    ("mean", "direction", "wrong"),
    [
        (EFFECT, 1, Verdict.SUPPORTED),  # exactly the smallest effect: no larger one may be claimed
        (-EFFECT, 1, Verdict.CONTRADICTED),
        (0.0, 1, Verdict.SUPPORTED),
        (0.0, 0, Verdict.CONTRADICTED),
        (EFFECT, 0, Verdict.SUPPORTED),  # a claim of no difference, whose equivalence margin is this effect
        (-EFFECT, 0, Verdict.SUPPORTED),
        (EFFECT, 0, Verdict.CONTRADICTED),
    ],
)
def test_wrong_verdicts_at_any_look_are_as_rare_as_stated(mean: float, direction: int, wrong: Verdict) -> None:
    assert share_of(wrong, final_verdicts(mean, direction)) <= ALPHA + THREE_SD


def test_without_the_rule_they_would_not_be() -> None:
    """The same looks with intervals of 95 % at each: a verdict outside both limits is wrong far too often."""
    counts = final_verdicts(EFFECT, 1, share=1.0)
    kept = final_verdicts(EFFECT, 1)
    assert share_of(Verdict.SUPPORTED, counts) > 1.5 * share_of(Verdict.SUPPORTED, kept)
    assert share_of(Verdict.SUPPORTED, counts) > ALPHA / 2 + THREE_SD, "each side of an interval may be wrong in 2.5 %"


def test_shipped_intervals_are_at_least_as_wide_as_the_simulated_ones() -> None:
    values = np.random.default_rng(0).normal(0, 1, LOOKS[1])
    level = ALPHA * error_share(2)
    margin = QUANTILES[LOOKS[1], level] * values.std(ddof=1) / math.sqrt(LOOKS[1])
    interval = confidence_interval(values.tolist(), 1 - level)
    assert interval.low <= values.mean() - margin + 1e-9
    assert interval.high >= values.mean() + margin - 1e-9


def test_seeds_that_are_added_decide() -> None:
    """An effect of one standard deviation beyond the smallest one is supported by most experiments in the end."""
    counts = final_verdicts(EFFECT + 1, 1, simulations=500)
    power = [share_of(Verdict.SUPPORTED, counts, seeds) for seeds in LOOKS]
    assert power == sorted(power)
    assert power[0] < 0.75
    assert power[1] > 0.9
