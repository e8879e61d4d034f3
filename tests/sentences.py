"""What a sentence for the user says, whatever its words are."""

import re

NUMBER = re.compile(r"(?<![\w.])[-−]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:e[+-]?\d+)?")


def numbers_in(text: str) -> list[float]:
    """Its numbers in their order; those that are part of a name do not count."""
    return [float(number.replace(",", "").replace("−", "-")) for number in NUMBER.findall(text)]


def names_in_order(text: str, *names: str) -> bool:
    """Whether it has all of these, one after the other."""
    return re.search(".*".join(re.escape(name) for name in names), text, re.DOTALL) is not None
