"""From anybody's values to a RunSpec, with faults in the user's words: which field, what was given, what is allowed."""

import difflib
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from bnlab.specs.run_spec import RunSpec

_NEAR = 0.8  # "epchs" is as near to "epochs"; "nonsense" is not to "noise"
_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_BOUNDS = {
    ("maxLength",): "of at most {:,} characters",
    ("minimum", "maximum"): "from {:,} to {:,}",
    ("minimum",): "at least {:,}",
    ("exclusiveMinimum",): "above {:,}",
    ("maximum",): "at most {:,}",
    ("exclusiveMaximum",): "below {:,}",
}


class SpecError(ValueError):
    """A spec that cannot be; `str()` is one sentence for each fault."""


def parse_spec(values: dict[str, Any]) -> RunSpec:
    """The RunSpec of `values`.

    Raises:
        SpecError: with one clear sentence a fault.
    """
    try:
        return RunSpec.model_validate(values)
    except ValidationError as error:
        raise SpecError(" ".join(explain_errors(error))) from error


def revise_spec(spec: RunSpec, changes: dict[str, Any]) -> RunSpec:
    """`spec` with some fields changed, validated anew.

    Raises:
        SpecError: with one clear sentence a fault.
    """
    return parse_spec({**spec.model_dump(), **changes})


def parse_value(text: str) -> Any:
    """A field's value from a command line or an address: JSON where it is that, a list where it has commas, or text."""
    for candidate in (text, f"[{text}]" if "," in text else text):
        try:
            return json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    return text


def parse_number(text: str) -> float:
    """The finite number that a text is, or NaN."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def closest_name(name: str, known: Iterable[str]) -> str:
    """The one of `known` that may be meant by a `name` that there is not; empty where none is really near."""
    spelt = {own.lower(): own for own in known}
    near = difflib.get_close_matches(name.lower(), spelt, 1, _NEAR)
    return spelt[near[0]] if near else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a `name` that there is not."""
    near = closest_name(name, known)
    return f"; did you mean {near}?" if near else "."


def explain_errors(error: ValidationError, model: type[BaseModel] = RunSpec) -> list[str]:
    """One sentence for each faulty field that pydantic found in a `model`, by the title that the form gives it."""
    faults: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else "spec"
        faults.setdefault(name, _sentence(name, fault, model))
    return list(faults.values())


def allowed_values(name: str, model: type[BaseModel] = RunSpec) -> str:
    """What the field `name` takes, as in "a whole number from 1 to 1,000" or "a number above 0 and at most 100"."""
    return " or ".join(_described(model.model_json_schema()["properties"][name]))


def _sentence(name: str, fault: Any, model: type[BaseModel]) -> str:
    if not fault["loc"]:
        return f"A run is described by its fields, but {_shown(fault['input'])} was given."
    if name not in model.model_fields:
        return f"{name} is not a field of a run; the fields are {', '.join(model.model_fields)}."
    given = ("an entry of " if len(fault["loc"]) > 1 else "") + _shown(fault["input"])
    own_words = fault["type"] == "value_error" and "enum" not in model.model_json_schema()["properties"][name]
    rule = str(fault["ctx"]["error"]) if own_words else f"must be {allowed_values(name, model)}"
    return f"{_titled(name, model)} {rule}, but {given} was given."


def _titled(name: str, model: type[BaseModel]) -> str:
    """The field's title, and its name where a reader who typed that would not find it in the title."""
    title = str(model.model_fields[name].title)
    return title if title.lower() == name.replace("_", " ") else f"{title} ({name})"


def _shown(value: Any) -> str:
    text = "nothing" if value is None or value == [] else repr(value)
    text = text.removesuffix(".0") if isinstance(value, float) else text
    return text if len(text) <= 60 else text[:57] + "..."


def _described(schema: dict[str, Any]) -> Iterator[str]:
    for option in schema.get("anyOf", [schema]):
        if "enum" in option:
            yield "one of " + ", ".join(option["enum"])
        elif option["type"] == "array":
            item = " or ".join(_described(option["items"]))
            yield f"a list of {option['minItems']} to {option['maxItems']} entries, each {item}"
        else:
            yield " ".join([_KINDS[option["type"]], " and ".join(_bounds(option))]).strip()


def _bounds(option: dict[str, Any]) -> Iterator[str]:
    left = dict(option)
    for keys, text in _BOUNDS.items():
        if all(key in left for key in keys):
            yield text.format(*(left.pop(key) for key in keys))
