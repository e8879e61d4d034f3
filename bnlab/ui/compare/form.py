"""The fields of a spec as controls, drawn from RunSpec: titles, bounds and choices are its own."""

import re
from collections.abc import Callable
from typing import Any

import streamlit as st

from bnlab.specs.diff import REGISTRIES, format_value
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import parse_value

MAIN_FIELDS = ("placement", "use_bias", "kernel_initializer", "initializer_stddev")
TRAINING_FIELDS = ("architecture", "activation", "hidden_units", "optimizer", "learning_rate", "batch_size", "epochs")
NORMALIZATION_FIELDS = ("normalizer", "input_normalization", "momentum", "epsilon", "center", "scale", "noise")
DATA_FIELDS = ("dataset", "train_examples", "rescale", "validation", "seed")
FEW = 4
TOO_MANY = 51  # hidden layers

PROPERTIES: dict[str, dict[str, Any]] = RunSpec.model_json_schema()["properties"]

Changed = Callable[[str, str], None]
"""Called with the field's name and the key under which the session keeps its new value."""


def render_field(name: str, spec: RunSpec, key: str, changed: Changed, *, disabled: bool = False) -> None:
    """Draw the control of one field at the value it has in `spec`."""
    value = getattr(spec, name)
    schema = PROPERTIES[name]
    common: dict[str, Any] = {
        "help": schema["description"],
        "key": key,
        "on_change": changed,
        "args": (name, key),
        "disabled": disabled,
    }
    kind = _kind(schema)
    st.session_state[key] = _widget_value(kind, value)
    if kind == "choice":
        _render_choice(name, schema, common)
    elif kind == "boolean":
        st.toggle(schema["title"], **common)
    elif kind == "array":
        st.text_input(schema["title"], placeholder="300, 100", **common)
    elif kind == "number":
        st.text_input(schema["title"], **common)
    else:
        render_whole_number(name, **common)


def render_whole_number(name: str, **options: Any) -> None:
    """Draw the control of an integer field, at what the session keeps under its key; `options` are the control's own.

    It takes any number: one that is out of bounds would be refused by the browser, and a fraction cut off, without a
    word. RunSpec refuses it in a sentence.
    """
    schema, value = PROPERTIES[name], st.session_state[options["key"]]
    if value is not None:
        st.session_state[options["key"]] = float(value)
    step = 1000.0 if name == "train_examples" else 1.0
    optional = "anyOf" in schema
    told: dict[str, Any] = {"placeholder": "all", "value": None} if optional or value is None else {}
    st.number_input(schema["title"], step=step, format="%g", **told | options)


def field_value(name: str, entered: Any) -> Any:
    """What somebody entered in the control of the field `name`, as a value for RunSpec.

    Widths may be written "300, 100", "300 100" or, for ten equal layers, "10 x 100"; numbers "0.5", "0,5" or "1e-3".
    """
    kind = _kind(PROPERTIES[name])
    if kind == "integer":
        return parse_integer(entered)
    if kind == "number":
        return _number(entered)
    if kind != "array":
        return entered
    return [units for part in re.split("[,;·]", str(entered)) for units in _widths(part)]


def parse_integer(entered: Any) -> Any:
    """A whole number that a control gave as a float; anything else as it is, for whoever takes it to refuse it.

    So is one that a float no longer tells from the next: it would be quoted with digits that nobody typed.
    """
    told = isinstance(entered, float) and entered.is_integer() and abs(entered) < 2**53
    return int(entered) if told else entered


def _number(entered: Any) -> Any:
    """The number of a text; anything else as it is, but nothing for an empty text.

    A control that takes numbers only has the browser read them, and one that expects a point makes 5 of "0,5".
    """
    if not isinstance(entered, str):
        return entered
    text = entered.strip()
    if re.fullmatch(r"[+-]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][+-]?[0-9]+)?", text):
        return float(text.replace(",", "."))
    return entered if text else None


def _widths(part: str) -> list[Any]:
    """The widths between two commas; what is not widths stays as it is, for RunSpec to say so."""
    if equal := re.fullmatch(r"\s*([1-9][0-9]{0,8})\s*[xX×]\s*([0-9]+)\s*", part):
        return [parse_value(equal[2])] * min(int(equal[1]), TOO_MANY)
    return [parse_value(width) if width[-1].isdigit() else width for width in part.split()]


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return "choice"
    given = next(option for option in schema.get("anyOf", [schema]) if option["type"] != "null")
    return str(given["type"])


def _widget_value(kind: str, value: Any) -> Any:
    if kind == "number":
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return ", ".join(str(units) for units in value) if kind == "array" else value


def _render_choice(name: str, schema: dict[str, Any], common: dict[str, Any]) -> None:
    def titled(option: str) -> str:
        return format_value(name, option)

    if len(schema["enum"]) <= FEW:
        st.segmented_control(schema["title"], schema["enum"], format_func=titled, required=True, wrap=True, **common)
    else:
        st.selectbox(schema["title"], schema["enum"], format_func=titled, **common)
    chosen = st.session_state[common["key"]]
    if chosen in REGISTRIES[name]:
        st.caption(REGISTRIES[name][chosen].description)
