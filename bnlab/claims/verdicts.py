"""Verdicts: what follows from an interval, and from the verdicts under several conditions."""

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
"""What `judge` does, for the reader of a verdict."""

CLAIM_RULES = (
    "A statement that one condition supports and another contradicts, or shows no difference for, *holds only when* "
    "the former is the case: it holds only in part, whatever the other conditions say. Else one condition without "
    "enough seeds leaves the whole unsettled. Once all are settled, the statement is supported where all support it, "
    "contradicted where one contradicts it, and else there is no detectable difference."
)
"""What `combine` does."""


class Verdict(StrEnum):
    """What a trial has shown of a claim. The values are ids."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NO_DIFFERENCE = "no_difference"
    CONDITIONAL = "conditional"
    TOO_FEW = "too_few_seeds"

    @property
    def label(self) -> str:
        """As it is printed."""
        return _LABELS[self]


_LABELS = {
    Verdict.SUPPORTED: "supported",
    Verdict.CONTRADICTED: "contradicted",
    Verdict.NO_DIFFERENCE: "no detectable difference",
    Verdict.CONDITIONAL: "holds only when …",
    Verdict.TOO_FEW: "not enough seeds",
}


def judge(interval: Interval, direction: int, smallest_effect: float) -> Verdict:
    """The verdict under one condition: where the interval lies, against the smallest effect that counts.

    `direction` is that of the predicted difference, treatment minus control: +1 more, −1 less, 0 none. In the predicted
    direction, and with e the smallest effect, +1 and −1 are

    - supported if the whole interval is at least e,
    - contradicted if the whole interval is at most −e,
    - without detectable difference if it lies between −e and e (an equivalence test), or if it contains zero and is
      not wider than 2 e, so that it could have lain there,
    - and else not settled: it reaches across e or −e, and more seeds would narrow it.

    A claim that something makes no difference (0) is supported if the interval lies between −e and e, contradicted
    if it lies wholly outside, and else not settled.

    Raises:
        ValueError: `smallest_effect` is not above zero, or `direction` is none of the three.
    """
    if not smallest_effect > 0 or direction not in (-1, 0, 1):
        raise ValueError(f"direction {direction} with smallest effect {smallest_effect}")
    low, high = (interval.low, interval.high) if direction >= 0 else (-interval.high, -interval.low)
    inside = -smallest_effect < low and high < smallest_effect
    if direction == 0:
        outside = low >= smallest_effect or high <= -smallest_effect
        return Verdict.SUPPORTED if inside else Verdict.CONTRADICTED if outside else Verdict.TOO_FEW
    if low >= smallest_effect:
        return Verdict.SUPPORTED
    if high <= -smallest_effect:
        return Verdict.CONTRADICTED
    if inside or (interval.contains(0) and interval.width <= 2 * smallest_effect):
        return Verdict.NO_DIFFERENCE
    return Verdict.TOO_FEW


def combine(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim from those under its conditions.

    If it is supported in one condition and not in another, it is conditional, whatever is still unsettled elsewhere.
    Otherwise all conditions must be settled: supported in all is supported; contradicted in one and supported in none
    is contradicted; the rest shows no difference.
    """
    found = set(verdicts)
    if Verdict.SUPPORTED in found and found & {Verdict.CONTRADICTED, Verdict.NO_DIFFERENCE}:
        return Verdict.CONDITIONAL
    if Verdict.TOO_FEW in found or not found:
        return Verdict.TOO_FEW
    for verdict in (Verdict.SUPPORTED, Verdict.CONTRADICTED):
        if verdict in found:
            return verdict
    return Verdict.NO_DIFFERENCE


def condition_text(verdict: Verdict, interval: Interval) -> str:
    """The verdict under one condition as text, which tells a difference that is there but small from none."""
    is_small = verdict is Verdict.NO_DIFFERENCE and not interval.contains(0)
    return "too small to count" if is_small else verdict.label


def verdict_text(verdict: Verdict, supporting: Sequence[str]) -> str:
    """The verdict as text, with the titles of the `supporting` conditions in the place of the "…"."""
    return verdict.label.replace("…", "; ".join(supporting))
