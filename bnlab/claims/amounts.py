"""A claim's amounts in words: its numbers, and the smallest effects that count."""

from bnlab.claims.claim import Claim

MANY = 1_000
_SIGNS = {-1: "−", 0: "±", 1: "+"}


def amount(value: float, digits: int = 4) -> str:
    """With that many digits, and whole where the number is large: 97.36, 0.0001, 266,610."""
    return (f"{value:,.0f}" if abs(value) >= MANY else f"{value:z.{digits}g}").replace("-", "−")


def difference_amount(value: float) -> str:
    """With its sign: +0.62, −3.7, +1,600."""
    return ("+" if value > 0 else "") + amount(value, 3)


def thresholds(claim: Claim) -> list[str]:
    """The smallest effects that count with their signs and units, each with its reason, which several may share."""
    amounts: dict[str, dict[str, None]] = {}
    for condition in claim.conditions:
        predicted = condition.prediction
        effect = f"{_SIGNS[predicted.direction]}{predicted.smallest_effect:g} {condition.measure.difference_unit}"
        amounts.setdefault(predicted.reason, {})[effect] = None
    return [f"{', '.join(effects)}: {reason}" for reason, effects in amounts.items()]
