"""Verdicts on a condition, from its interval, and on a claim, from the verdicts on its conditions."""

from collections.abc import Sequence
from enum import StrEnum

from bnlab.claims.statistics import Interval

CONDITION_RULES = (
    "A condition is *supported* where the whole interval of the differences is, in the direction claimed, at least the "
    "smallest effect that counts, and *contradicted* where it is at most its opposite. *No detectable "
    "difference* means none that counts: the interval lies between the two (without zero in it, the difference is *too "
    "small to count*), or contains zero and is no wider than from one to the other. Else there are *not enough seeds*: "
    "the interval reaches across, and more of them would narrow it. A claim that something makes no difference is "
    "*supported* where the interval lies between the two and *contradicted* where it lies outside."
)
"""The rules of `judge`, as pages and documents show them."""

CLAIM_RULES = (
    "A statement that one condition supports and another contradicts, or shows no difference for, *holds only when* "
    "the former is the case: it holds only in part, whatever the other conditions say. Else one condition without "
    "enough seeds leaves the whole unsettled. Once all are settled, the statement is supported where all support it, "
    "contradicted where one contradicts it, and else there is no detectable difference."
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
    Verdict.NO_DIFFERENCE: "no detectable difference",
    Verdict.CONDITIONAL: "holds only when …",
    Verdict.TOO_FEW_SEEDS: "not enough seeds",
}


def judge(interval: Interval, direction: int, smallest_effect: float) -> Verdict:
    """The verdict on one condition, from the position of the interval relative to the smallest effect that counts.

    `direction` is that of the predicted difference, treatment minus control: +1 more, −1 less, 0 none. With e the
    smallest effect and in the predicted direction, a claim of more or less is

    - supported if the whole interval is at least e,
    - contradicted if the whole interval is at most −e,
    - without detectable difference if the interval lies between −e and e (an equivalence test), or if it contains zero
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
    return "too small to count" if is_small else verdict.label


def verdict_text(verdict: Verdict, supporting: Sequence[str]) -> str:
    """The verdict as text, with the titles of the `supporting` conditions instead of "…"."""
    return verdict.label.replace("…", "; ".join(supporting))
