"""Numbers as people write them."""

import math

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(value: float) -> str:
    """1.7 × 10⁻⁶ for 1.7e-06."""
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits} × 10{str(int(exponent)).translate(_RAISED)}" if value else "0"


def signed(value: float) -> str:
    """With its sign and about three digits; zero has no sign."""
    if not math.isfinite(value):
        return "not a number"
    size = abs(value)
    if size == 0:
        return "0"
    decimals = 0 if size >= 100 or size.is_integer() else 1 if size >= 10 else 2 if size >= 1 else 3
    return ("−" if value < 0 else "+") + (power(size) if size < 0.001 else f"{size:,.{decimals}f}")
