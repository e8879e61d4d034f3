"""Numbers, sizes and users' text, formatted for sentences, headings and Markdown."""

import math
import re

MINUS = "−"


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_fixed(value: float, decimals: int = 2) -> str:
    """With that many decimals: −0.50, and 0.00 where the value is −0.001."""
    return f"{value:z.{decimals}f}".replace("-", MINUS)


def format_digits(value: float, digits: int = 3) -> str:
    """With that many digits: −0.0123, 1.5e−06."""
    return f"{value:z.{digits}g}".replace("-", MINUS)


def format_power(value: float, decimals: int = 1) -> str:
    """With a power of ten: 1.7 × 10⁻⁶."""
    digits, exponent = f"{value:.{decimals}e}".split("e")
    return f"{digits.replace('-', MINUS)} × 10{str(int(exponent)).translate(RAISED)}" if value else "0"


def format_signed(value: float) -> str:
    """A difference, with its sign and about three digits: +3.14, −1,234, 0."""
    if not math.isfinite(value):
        return "not a number"
    size = abs(value)
    if size == 0:
        return "0"
    decimals = 0 if size >= 100 or size.is_integer() else 1 if size >= 10 else 2 if size >= 1 else 3
    return (MINUS if value < 0 else "+") + (format_power(size) if size < 0.001 else f"{size:,.{decimals}f}")


_UNSEEN = "\u2060"  # WORD JOINER


# An underscore within a word means nothing, nor does a colon with no letter after it.
_REPLACED = r":(?=[\w+-]+(/\w+)?:)|(?<!\S)[<>~-](?=(->|[>=-])(?!\S))"


_SIGNS = r"[\\`*\[\]<~$&|]|(?<![^\W_])_|_(?![^\W_])|:(?=[^\W_])"


_AT_THE_BEGINNING = r"^(\s*[0-9]*)([#>]|[.)+](?=\s)|-(?=[\s-]))"  # a heading, a quotation, a list, a rule


def escape_markdown(sentence: str) -> str:
    """A sentence for Markdown, with everything escaped that Streamlit would make something else of.

    Icons, emojis and arrows it finds in what Markdown has left, where nothing is escaped any more: those are parted by
    a sign that is not seen.
    """
    parted = re.sub(_REPLACED, rf"\g<0>{_UNSEEN}", sentence)
    escaped = re.sub(_SIGNS, r"\\\g<0>", parted)
    return re.sub(_AT_THE_BEGINNING, r"\1\\\2", escaped)


def format_size(size: int) -> str:
    """Bytes as people say them: 1.7 MB, 41 kB."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{math.ceil(size / 1e3)} kB"


def escape_html(label: str) -> str:
    """A label for Markdown in which HTML is allowed: no sign of it means anything there."""
    return "".join(f"&#{ord(sign)};" if not sign.isalnum() and not sign.isspace() else sign for sign in label)
