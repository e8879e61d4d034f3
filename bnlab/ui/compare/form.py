"""The fields of a spec as controls. Titles, bounds, choices and help texts come from RunSpec."""

import re
from typing import Any

import streamlit as st

from bnlab.specs.diff import REGISTRIES, format_value
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import parse_value
from bnlab.ui.controls import Change, bind

MAIN_FIELDS = ("placement", "use_bias", "kernel_initializer", "initializer_stddev")
TRAINING_FIELDS = ("architecture", "activation", "hidden_units", "optimizer", "learning_rate", "batch_size", "epochs")
NORMALIZATION_FIELDS = ("normalizer", "input_normalization", "momentum", "epsilon", "center", "scale", "noise")
DATA_FIELDS = ("dataset", "train_examples", "rescale", "validation", "seed")
MAX_SEGMENTS = 4
"""Choices with more options are drawn as a select box."""
MAX_REPEATED_LAYERS = 51
"""One more than a spec may have, so that it is refused; larger counts in "10 x 100" are cut to this."""

PROPERTIES: dict[str, dict[str, Any]] = RunSpec.model_json_schema()["properties"]


def render_field(
    name: str, spec: RunSpec, key: str, change: Change, *identifiers: object, disabled: bool = False
) -> None:
    """Draw the control of one field, with its value in `spec`.

    `change` is called with `identifiers`, the field's name and what was entered (see `bnlab.ui.controls.bind`).
    """
    schema = PROPERTIES[name]
    kind = _kind(schema)
    options: dict[str, Any] = bind(key, _widget_value(kind, getattr(spec, name)), change, *identifiers, name)
    options |= {"help": schema["description"], "disabled": disabled}
    if kind == "choice":
        _render_choice(name, schema, options)
    elif kind == "boolean":
        st.toggle(schema["title"], **options)
    elif kind == "array":
        st.text_input(schema["title"], placeholder="300, 100", **options)
    elif kind == "number":
        st.text_input(schema["title"], **options)
    else:
        render_whole_number(name, **options)


def render_whole_number(name: str, **options: Any) -> None:
    """Draw the control of an integer field, with the value in the session under its key (see `whole_number_value`).

    The control has no bounds and takes fractions: the browser would reject or truncate them silently, while RunSpec
    raises an error with a sentence.
    """
    schema, value = PROPERTIES[name], st.session_state[options["key"]]
    step = 1000.0 if name == "train_examples" else 1.0
    is_optional = "anyOf" in schema
    empty: dict[str, Any] = {"placeholder": "all", "value": None} if is_optional or value is None else {}
    st.number_input(schema["title"], step=step, format="%g", **empty | options)


def field_value(name: str, entered: Any) -> Any:
    """The value of a control as a value for RunSpec, which refuses what is not valid.

    Hidden units may be "300, 100", "300 100" or, for ten equal layers, "10 x 100"; numbers "0.5", "0,5" or "1e-3".
    """
    kind = _kind(PROPERTIES[name])
    if kind == "integer":
        return parse_integer(entered)
    if kind == "number":
        return _parse_number(entered)
    if kind != "array":
        return entered
    return [units for part in re.split("[,;·]", str(entered)) for units in _parse_units(part)]


def parse_integer(entered: Any) -> Any:
    """The integer of a float without a fraction; anything else unchanged.

    Floats from 2⁵³ on are unchanged too, since as integers they would be quoted with digits that were not typed.
    """
    is_integer = isinstance(entered, float) and entered.is_integer() and abs(entered) < 2**53
    return int(entered) if is_integer else entered


def _parse_number(entered: Any) -> Any:
    """The number in a text with a decimal point or comma; None for an empty text, anything else unchanged.

    Numbers are entered as text, because the browser's number input may turn "0,5" into 5.
    """
    if not isinstance(entered, str):
        return entered
    text = entered.strip()
    if re.fullmatch(r"[+-]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][+-]?[0-9]+)?", text):
        return float(text.replace(",", "."))
    return entered if text else None


def _parse_units(part: str) -> list[Any]:
    """The units between two commas; text that is not a number is kept, so that RunSpec's error quotes it."""
    if repeated := re.fullmatch(r"\s*([1-9][0-9]{0,8})\s*[xX×]\s*([0-9]+)\s*", part):
        return [parse_value(repeated[2])] * min(int(repeated[1]), MAX_REPEATED_LAYERS)
    return [parse_value(units) if units[-1].isdigit() else units for units in part.split()]


def _kind(schema: dict[str, Any]) -> str:
    """Either "choice" or the JSON type of the field."""
    if "enum" in schema:
        return "choice"
    option = next(option for option in schema.get("anyOf", [schema]) if option["type"] != "null")
    return str(option["type"])


def _widget_value(kind: str, value: Any) -> Any:
    if kind == "number":
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    if kind == "integer":
        return whole_number_value(value)
    return ", ".join(str(units) for units in value) if kind == "array" else value


def whole_number_value(value: int | None) -> float | None:
    """The value of an integer field's control, which takes fractions."""
    return None if value is None else float(value)


def _render_choice(name: str, schema: dict[str, Any], options: dict[str, Any]) -> None:
    def title(option: str) -> str:
        return format_value(name, option)

    if len(schema["enum"]) <= MAX_SEGMENTS:
        st.segmented_control(schema["title"], schema["enum"], format_func=title, required=True, wrap=True, **options)
    else:
        st.selectbox(schema["title"], schema["enum"], format_func=title, **options)
    chosen = st.session_state[options["key"]]
    if chosen in REGISTRIES[name]:
        st.caption(REGISTRIES[name][chosen].description)
