"""Numbers in sentences and headings: a real minus sign, and no sign where rounding leaves a zero."""

import math

MINUS = "−"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def fixed(value: float, decimals: int = 2) -> str:
    """With that many decimals: −0.50, and 0.00 where the value is −0.001."""
    return f"{value:z.{decimals}f}".replace("-", MINUS)


def short(value: float, digits: int = 3) -> str:
    """With that many digits: −0.0123, 1.5e−06."""
    return f"{value:z.{digits}g}".replace("-", MINUS)


def power(value: float, decimals: int = 1) -> str:
    """With a power of ten: 1.7 × 10⁻⁶."""
    digits, exponent = f"{value:.{decimals}e}".split("e")
    return f"{digits.replace('-', MINUS)} × 10{str(int(exponent)).translate(RAISED)}" if value else "0"


def signed(value: float) -> str:
    """A difference, with its sign and about three digits: +3.14, −1,234, 0."""
    if not math.isfinite(value):
        return "not a number"
    size = abs(value)
    if size == 0:
        return "0"
    decimals = 0 if size >= 100 or size.is_integer() else 1 if size >= 10 else 2 if size >= 1 else 3
    return (MINUS if value < 0 else "+") + (power(size) if size < 0.001 else f"{size:,.{decimals}f}")
