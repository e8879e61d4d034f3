"""Checks of user-facing sentences that do not depend on their exact wording."""

import re

NUMBER = re.compile(r"(?<![\w.])[-−]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:e[+-]?\d+)?")


def numbers_in(text: str) -> list[float]:
    """The numbers in the text, in order, without those that are part of a name."""
    return [float(number.replace(",", "").replace("−", "-")) for number in NUMBER.findall(text)]


def names_in_order(text: str, *names: str) -> bool:
    """Whether the text contains all names in this order."""
    return re.search(".*".join(re.escape(name) for name in names), text, re.DOTALL) is not None
