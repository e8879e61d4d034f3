"""Verdicts on a condition, from its interval, and on a claim, from the verdicts on its conditions."""

from collections.abc import Sequence
from enum import StrEnum

from bnlab.claims.sequential_design import MAX_LOOKS
from bnlab.claims.statistics import Interval

CONDITION_RULES = (
    "A condition is *supported* if the whole interval of the differences is, in the direction claimed, at least the "
    "smallest effect of interest, and *contradicted* if it is at most its opposite. There is *no difference* to rely "
    "on if the interval lies between the two (*too small to matter* if it does not contain zero), or contains zero and "
    "is no wider than from one to the other. Otherwise the condition is *undecided*: the interval reaches across, and "
    "more seeds would narrow it. A claim of no difference is *supported* if the interval lies between the two, and "
    "*contradicted* if it lies outside. An undecided condition can be given twice the seeds, until it is decided, at "
    f"most {MAX_LOOKS - 1} times. The intervals are corrected for the number of conditions (Holm) and for looking "
    "again (the first look may spend half of the error, each further one half of what is left), so that all verdicts "
    "on a claim's conditions are right together with a confidence of 95 %, whenever one stops."
)
"""The rules of `judge`, as pages and documents show them."""

CLAIM_RULES = (
    "A statement that one condition supports and another one contradicts, or shows no difference for, is *true in "
    "part*, whatever the other conditions say. Otherwise one undecided condition leaves the statement undecided. Once "
    "all are decided, the statement is supported if all of them support it, contradicted if one contradicts it, and "
    "otherwise there is no difference."
)
"""The rules of `combine`, as pages and documents show them."""


class Verdict(StrEnum):
    """The verdict on a condition or a claim. The values are ids."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NO_DIFFERENCE = "no_difference"
    CONDITIONAL = "conditional"
    TOO_FEW_SEEDS = "too_few_seeds"

    @property
    def label(self) -> str:
        """The verdict as text."""
        return _LABELS[self]


_LABELS = {
    Verdict.SUPPORTED: "supported",
    Verdict.CONTRADICTED: "contradicted",
    Verdict.NO_DIFFERENCE: "no difference",
    Verdict.CONDITIONAL: "true in part",
    Verdict.TOO_FEW_SEEDS: "undecided",
}


def judge(interval: Interval, direction: int, smallest_effect: float) -> Verdict:
    """The verdict on one condition, from the position of the interval relative to the smallest effect of interest.

    `direction` is that of the predicted difference, treatment minus control: +1 more, −1 less, 0 none. With e the
    smallest effect and in the predicted direction, a claim of more or less is

    - supported if the whole interval is at least e,
    - contradicted if the whole interval is at most −e,
    - without difference if the interval lies between −e and e (an equivalence test), or if it contains zero
      and is at most 2 e wide, so that it could have lain between them,
    - and otherwise undecided: more seeds would narrow the interval, which extends across e or −e.

    A claim of no difference (0) is supported if the interval lies between −e and e, contradicted if it lies entirely
    outside, and otherwise undecided.

    Raises:
        ValueError: `smallest_effect` is not above zero, or `direction` is not −1, 0 or 1.
    """
    if not smallest_effect > 0 or direction not in (-1, 0, 1):
        raise ValueError(f"direction {direction} with smallest effect {smallest_effect}")
    low, high = (interval.low, interval.high) if direction >= 0 else (-interval.high, -interval.low)
    inside = -smallest_effect < low and high < smallest_effect
    if direction == 0:
        outside = low >= smallest_effect or high <= -smallest_effect
        return Verdict.SUPPORTED if inside else Verdict.CONTRADICTED if outside else Verdict.TOO_FEW_SEEDS
    if low >= smallest_effect:
        return Verdict.SUPPORTED
    if high <= -smallest_effect:
        return Verdict.CONTRADICTED
    if inside or (interval.contains(0) and interval.width <= 2 * smallest_effect):
        return Verdict.NO_DIFFERENCE
    return Verdict.TOO_FEW_SEEDS


def combine(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim from those on its conditions.

    A claim supported by one condition, but contradicted or without difference in another, is conditional, even with
    undecided conditions. Otherwise all conditions must be decided: all supported gives supported; one contradicted
    gives contradicted; everything else gives no difference.
    """
    distinct = set(verdicts)
    if Verdict.SUPPORTED in distinct and distinct & {Verdict.CONTRADICTED, Verdict.NO_DIFFERENCE}:
        return Verdict.CONDITIONAL
    if Verdict.TOO_FEW_SEEDS in distinct or not distinct:
        return Verdict.TOO_FEW_SEEDS
    for verdict in (Verdict.SUPPORTED, Verdict.CONTRADICTED):
        if verdict in distinct:
            return verdict
    return Verdict.NO_DIFFERENCE


def condition_text(verdict: Verdict, interval: Interval) -> str:
    """The verdict on one condition as text, which distinguishes a small difference from none."""
    is_small = verdict is Verdict.NO_DIFFERENCE and not interval.contains(0)
    return "too small to matter" if is_small else verdict.label


def verdict_text(verdict: Verdict, supporting: Sequence[str]) -> str:
    """The verdict as text; of a claim that is true in part with the titles of the `supporting` conditions."""
    return f"{verdict.label}: {'; '.join(supporting)}" if verdict is Verdict.CONDITIONAL else verdict.label
