"""Parsing and validation of user input for a RunSpec, with error messages that name field, input and allowed values."""

import difflib
import json
import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from bnlab.specs.datasets import DATASETS, UNUSABLE_DATASET
from bnlab.specs.run_spec import RunSpec

_MIN_SIMILARITY = 0.8  # of "epchs" and "epochs"; "nonsense" and "noise" are less similar
_TYPE_TEXTS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_BOUND_TEXTS = {
    ("maxLength",): "of at most {:,} characters",
    ("minimum", "maximum"): "from {:,} to {:,}",
    ("minimum",): "at least {:,}",
    ("exclusiveMinimum",): "above {:,}",
    ("maximum",): "at most {:,}",
    ("exclusiveMaximum",): "below {:,}",
}


class SpecError(ValueError):
    """Invalid input for a spec; `str()` is one sentence per error, for the user."""


def parse_spec(values: dict[str, Any]) -> RunSpec:
    """The RunSpec with these field values.

    Raises:
        SpecError: a value is invalid or a field unknown.
    """
    try:
        return RunSpec.model_validate(values)
    except ValidationError as error:
        raise SpecError(" ".join(explain_errors(error))) from error


def revise_spec(spec: RunSpec, changes: dict[str, Any]) -> RunSpec:
    """`spec` with some fields changed and validated.

    Raises:
        SpecError: a value is invalid or a field unknown.
    """
    return parse_spec({**spec.model_dump(), **changes})


def parse_value(text: str) -> Any:
    """A value in a URL: JSON, or a list of JSON values with commas, or else the text. See `field_text` for fields."""
    for candidate in (text, f"[{text}]" if "," in text else text):
        try:
            return json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    return text


def parse_number(text: str) -> float:
    """The finite number in a text; NaN if it is none."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def closest_name(name: str, known: Iterable[str]) -> str:
    """The known name that is most similar to the unknown `name`; empty if none is similar enough."""
    by_lowercase = {known_name.lower(): known_name for known_name in known}
    matches = difflib.get_close_matches(name.lower(), by_lowercase, 1, _MIN_SIMILARITY)
    return by_lowercase[matches[0]] if matches else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown `name`: a suggestion or a full stop."""
    closest = closest_name(name, known)
    return f"; did you mean {closest}?" if closest else "."


def explain_errors(error: ValidationError, model: type[BaseModel] = RunSpec) -> list[str]:
    """One sentence per invalid field of a `model`, which is named by its title in the form."""
    sentences: dict[str, str] = {}
    for details in error.errors(include_url=False):
        name = str(details["loc"][0]) if details["loc"] else "spec"
        sentences.setdefault(name, _error_text(name, details, model))
    return list(sentences.values())


def allowed_values(name: str, model: type[BaseModel] = RunSpec) -> str:
    """The values that a field accepts: "a whole number from 1 to 1,000", with examples of what has a grammar."""
    schema = _properties(model, tuple(DATASETS))[name]
    examples = f", as in {' or '.join(schema['examples'])}" if "examples" in schema else ""
    return " or ".join(_schema_texts(schema)) + examples


@lru_cache(maxsize=32)
def _properties(model: type[BaseModel], _datasets: tuple[str, ...]) -> dict[str, Any]:
    """The JSON schemas of the fields, which list the datasets there are."""
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    return properties


def _error_text(name: str, details: Any, model: type[BaseModel]) -> str:
    if not details["loc"]:
        return f"A run is described by its fields, but {_format_input(details['input'])} was given."
    if name not in model.model_fields:
        return f"{name} is not a field of a run; the fields are {', '.join(model.model_fields)}."
    if details["type"] == UNUSABLE_DATASET:
        return str(details["msg"])
    value = ("an entry of " if len(details["loc"]) > 1 else "") + _format_input(details["input"])
    # The registries' validators raise ValueError too; for them the schema's list of values is the better text.
    has_message = details["type"] == "value_error" and "enum" not in _properties(model, tuple(DATASETS))[name]
    rule = str(details["ctx"]["error"]) if has_message else f"must be {allowed_values(name, model)}"
    return f"{_title_with_name(name, model)} {rule}, but {value} was given."


def _title_with_name(name: str, model: type[BaseModel]) -> str:
    """The field's title, followed by its name if that is not the title in lowercase."""
    title = str(model.model_fields[name].title)
    return title if title.lower() == name.replace("_", " ") else f"{title} ({name})"


def _format_input(value: Any) -> str:
    text = "nothing" if value is None or value == [] else repr(value)
    text = text.removesuffix(".0") if isinstance(value, float) else text
    return text if len(text) <= 60 else text[:57] + "..."


def _schema_texts(schema: dict[str, Any]) -> Iterator[str]:
    """A text for each alternative of a JSON schema."""
    for option in schema.get("anyOf", [schema]):
        if "enum" in option:
            yield "one of " + ", ".join(option["enum"])
        elif option["type"] == "array":
            item = " or ".join(_schema_texts(option["items"]))
            yield f"a list of {option['minItems']} to {option['maxItems']} entries, each {item}"
        else:
            yield " ".join([_TYPE_TEXTS[option["type"]], " and ".join(_bound_texts(option))]).strip()


def _bound_texts(option: dict[str, Any]) -> Iterator[str]:
    remaining = dict(option)
    for keys, text in _BOUND_TEXTS.items():
        if all(key in remaining for key in keys):
            yield text.format(*(remaining.pop(key) for key in keys))
