"""The fields of a spec as controls. Titles, bounds, choices and help texts come from RunSpec."""

from typing import Any

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.specs.datasets import DATASETS, UNUSABLE
from bnlab.specs.diff import REGISTRIES, format_value
from bnlab.specs.field_text import parse_field
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.controls import Change, bind

MAIN_FIELDS = ("placement", "use_bias", "kernel_initializer", "initializer_stddev")
TRAINING_FIELDS = ("architecture", "activation", "hidden_units", "optimizer", "learning_rate", "batch_size", "epochs")
NORMALIZATION_FIELDS = ("normalizer", "input_normalization", "momentum", "epsilon", "center", "scale", "noise")
DATA_FIELDS = ("dataset", "train_examples", "rescale", "validation", "seed")
MAX_SEGMENTS = 4
"""Choices with more options are drawn as a select box."""
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

    Text is read as in links and `--set`, by `bnlab.specs.field_text`.
    """
    if isinstance(entered, str):
        return parse_field(name, entered)
    return parse_integer(entered) if _kind(PROPERTIES[name]) == "integer" else entered


def parse_integer(entered: Any) -> Any:
    """The integer of a float without a fraction; anything else unchanged.

    Floats from 2⁵³ on are unchanged too, since as integers they would be quoted with digits that were not typed.
    """
    is_integer = isinstance(entered, float) and entered.is_integer() and abs(entered) < 2**53
    return int(entered) if is_integer else entered


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

    ids = list(REGISTRIES[name])  # datasets may have been added since the schema was made
    if len(ids) <= MAX_SEGMENTS:
        st.segmented_control(schema["title"], ids, format_func=title, required=True, wrap=True, **options)
    else:
        st.selectbox(schema["title"], ids, format_func=title, **options)
    chosen = st.session_state[options["key"]]
    if chosen in REGISTRIES[name]:
        st.caption(REGISTRIES[name][chosen].description)
    if REGISTRIES[name] is DATASETS:
        for sentence in UNUSABLE.values():
            st.caption(f":material/warning: {escape_markdown(sentence)}")
