"""Numbers in sentences and headings: a real minus sign, and no sign where rounding leaves a zero."""

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
