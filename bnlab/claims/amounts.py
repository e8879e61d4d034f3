"""A claim's numbers as text, and the smallest effects that count."""

from bnlab.claims.claim import Claim

WHOLE_FROM = 1_000
_SIGNS = {-1: "−", 0: "±", 1: "+"}


def amount(value: float, digits: int = 4) -> str:
    """With that many digits, and without decimals from WHOLE_FROM on: 97.36, 0.0001, 266,610."""
    return (f"{value:,.0f}" if abs(value) >= WHOLE_FROM else f"{value:z.{digits}g}").replace("-", "−")


def difference_amount(value: float) -> str:
    """With its sign: +0.62, −3.7, +1,600."""
    return ("+" if value > 0 else "") + amount(value, 3)


def thresholds(claim: Claim) -> list[str]:
    """The smallest effects that count with their signs and units, one line for each reason."""
    effects_by_reason: dict[str, dict[str, None]] = {}
    for condition in claim.conditions:
        prediction = condition.prediction
        effect = f"{_SIGNS[prediction.direction]}{prediction.smallest_effect:g} {condition.measure.difference_unit}"
        effects_by_reason.setdefault(prediction.reason, {})[effect] = None
    return [f"{', '.join(effects)}: {reason}" for reason, effects in effects_by_reason.items()]
