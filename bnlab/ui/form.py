"""The fields of a spec as controls, drawn from RunSpec: titles, bounds and choices are its own."""

import re
from collections.abc import Callable
from typing import Any

import streamlit as st

from bnlab.spec.differences import REGISTRIES, shown
from bnlab.spec.parse import parse_value
from bnlab.spec.run_spec import RunSpec

GREAT = ("placement", "use_bias", "kernel_initializer", "initializer_stddev")
TRAINING = ("architecture", "activation", "hidden_units", "optimizer", "learning_rate", "batch_size", "epochs")
NORMALIZATION = ("input_normalization", "momentum", "epsilon", "center", "scale", "renorm", "noise")
DATA = ("dataset", "train_examples", "rescale", "validation", "seed")
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
    else:
        render_number(name, **common)


def render_number(name: str, **options: Any) -> None:
    """Draw the control of a number field, at what the session keeps under its key; `options` are the control's own.

    It takes any number: one that is out of bounds would be refused by the browser, and a fraction cut off, without a
    word. RunSpec refuses it in a sentence.
    """
    schema, value = PROPERTIES[name], st.session_state[options["key"]]
    if value is not None:
        st.session_state[options["key"]] = float(value)
    step = value / 2 if value else 0.01
    if _kind(schema) == "integer":
        step = 1000.0 if name == "train_examples" else 1.0
    optional = "anyOf" in schema
    told: dict[str, Any] = {"placeholder": "all", "value": None} if optional or value is None else {}
    st.number_input(schema["title"], step=step, format="%g", **told | options)


def field_value(name: str, entered: Any) -> Any:
    """What somebody entered in the control of the field `name`, as a value for RunSpec.

    Widths may be written "300, 100", "300 100" or, for ten equal layers, "10 x 100".
    """
    kind = _kind(PROPERTIES[name])
    if kind == "integer":
        return whole(entered)
    if kind != "array":
        return entered
    return [units for part in re.split("[,;·]", str(entered)) for units in _widths(part)]


def whole(entered: Any) -> Any:
    """A whole number that a control gave as a float; anything else as it is, for whoever takes it to refuse it."""
    return int(entered) if isinstance(entered, float) and entered.is_integer() else entered


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
    return ", ".join(str(units) for units in value) if kind == "array" else value


def _render_choice(name: str, schema: dict[str, Any], common: dict[str, Any]) -> None:
    def titled(option: str) -> str:
        return shown(name, option)

    if len(schema["enum"]) <= FEW:
        st.segmented_control(schema["title"], schema["enum"], format_func=titled, required=True, wrap=True, **common)
    else:
        st.selectbox(schema["title"], schema["enum"], format_func=titled, **common)
    chosen = st.session_state[common["key"]]
    if chosen in REGISTRIES[name]:
        st.caption(REGISTRIES[name][chosen].description)
