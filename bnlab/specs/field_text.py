"""The text of a field's value: one grammar for links, `--set` and the form.

Choices are written by their id, numbers with a decimal point or comma, booleans as `true` and `false`. `all` is all
training examples. Hidden units are separated by `-`, commas or spaces, with or without brackets, and `10x100` is ten
layers of 100: `300-100`, `[300, 100]`, `10x100-50`.
"""

import json
import re
from functools import cache
from typing import Any

from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import parse_value

ALL = "all"
"""The text of None: no limit."""

GRAMMAR = (
    "Values are written as in links: hidden_units=300-100, or 300,100 or [300,100]; 10x100 is ten layers of 100; "
    "train_examples=all; use_bias=false; placement=before_activation."
)
"""For `--help`."""

_NUMBER = re.compile(r"[+-]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][+-]?[0-9]+)?")
_BETWEEN_UNITS = re.compile(r"[,;·\s]+|(?<=[0-9])-(?=[0-9])")
_TIMES = re.compile(r"(?<=[0-9])\s*[xX×]\s*(?=[0-9])")
_REPEATED = re.compile(r"([1-9][0-9]{0,8})×([0-9]+)")
_MAX_LAYERS = next(m.max_length for m in RunSpec.model_fields["hidden_units"].metadata if hasattr(m, "max_length"))


def parse_field(name: str, text: str) -> Any:
    """The value that `text` gives the field `name`, for RunSpec to validate; never raises.

    A text that is no value of the field's type is returned as it is, so that RunSpec's error quotes it. Fields that are
    unknown, or known from earlier versions only, are JSON.
    """
    kinds = _kinds().get(name, frozenset())
    text = text.strip()
    if "null" in kinds and text.lower() in (ALL, ""):
        return None
    if "choice" in kinds:
        return text
    if "array" in kinds:
        return _parse_units(text)
    if "number" in kinds:
        return _parse_number(text)
    return _parse_json(text) if kinds else parse_value(text)


def format_field(value: Any) -> str:
    """The text from which `parse_field` reads `value`, a field's value as in JSON."""
    if value is None:
        return ALL
    if isinstance(value, bool):
        return str(value).lower()
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@cache
def _kinds() -> dict[str, frozenset[str]]:
    """The JSON types of each field's values; "choice" for a field with a registry."""
    properties = RunSpec.model_json_schema()["properties"]
    return {
        name: frozenset({"choice"} if "enum" in schema else (o["type"] for o in schema.get("anyOf", [schema])))
        for name, schema in properties.items()
    }


def _parse_number(text: str) -> Any:
    """The number in a text; None for an empty one."""
    if _NUMBER.fullmatch(text):
        return float(text.replace(",", "."))
    return text or None


def _parse_units(text: str) -> list[Any]:
    bare = text[1:-1] if (text[:1], text[-1:]) in (("[", "]"), ("(", ")")) else text
    parts = _BETWEEN_UNITS.split(_TIMES.sub("×", bare))
    return [units for part in parts if part for units in _parse_part(part)]


def _parse_part(part: str) -> list[Any]:
    """The units of one part, repeated if it is `10×100`, at most one layer more than RunSpec accepts."""
    if repeated := _REPEATED.fullmatch(part):
        return [_parse_json(repeated[2])] * min(int(repeated[1]), _MAX_LAYERS + 1)
    return [_parse_json(part) if part[-1].isdigit() else part]


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
