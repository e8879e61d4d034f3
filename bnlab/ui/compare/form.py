"""The fields of a spec as controls. Titles, bounds, choices and help texts come from RunSpec."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.specs.datasets import DATASETS, UNUSABLE
from bnlab.specs.diff import REGISTRIES, format_value
from bnlab.specs.field_text import parse_field
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError
from bnlab.ui.controls import Change, bind

MAIN_FIELDS = (
    "normalizer",
    "placement",
    "use_bias",
    "architecture",
    "activation",
    "hidden_units",
    "kernel_initializer",
    "initializer_stddev",
)
TRAINING_FIELDS = ("optimizer", "learning_rate", "batch_size", "epochs", "train_examples")
NORMALIZATION_FIELDS = ("input_normalization", "momentum", "epsilon", "center", "scale", "noise")
DATA_FIELDS = ("dataset", "rescale", "validation", "evaluate_with", "seed")
DEPTH = "hidden_layers"
"""What the control of the number of hidden layers sets, beside that of their units."""
MAX_LAYERS = 50
MIXED = "mixed"
"""What is shown where variants differ."""
MAX_SEGMENTS = 4
"""Choices with more options are drawn as a select box."""
PROPERTIES: dict[str, dict[str, Any]] = RunSpec.model_json_schema()["properties"]


def render_field(
    name: str, specs: Sequence[RunSpec], key: str, change: Change, *identifiers: object, disabled: bool = False
) -> tuple[str, ...]:
    """Draw the control of one field, with its value in `specs`; empty where they differ. Returns the controls' keys.

    `change` is called with `identifiers`, the field's name and what was entered (see `bnlab.ui.controls.bind`). The
    hidden units have a second control, of the number of layers, whose name is `DEPTH`.
    """
    schema = PROPERTIES[name]
    kind = _kind(schema)
    values = {getattr(spec, name) for spec in specs}
    is_mixed = len(values) > 1
    value = _mixed_value(kind) if is_mixed else _widget_value(kind, values.pop())
    options: dict[str, Any] = bind(key, value, change, *identifiers, name)
    options |= {"help": schema["description"], "disabled": disabled}
    placeholder: dict[str, Any] = {"placeholder": MIXED} if is_mixed else {}
    if kind == "choice":
        _render_choice(name, schema, is_mixed, options)
    elif kind == "boolean" and is_mixed:
        st.segmented_control(schema["title"], [True, False], format_func=lambda on: "on" if on else "off", **options)
    elif kind == "boolean":
        st.toggle(schema["title"], **options)
    elif kind == "array":
        return _render_units(specs, key, change, identifiers, options | (placeholder or {"placeholder": "300, 100"}))
    elif kind == "number":
        st.text_input(schema["title"], **placeholder, **options)
    else:
        render_whole_number(name, **placeholder, **options)
    return (key,)


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


def _render_units(
    specs: Sequence[RunSpec], key: str, change: Change, identifiers: tuple[object, ...], options: dict[str, Any]
) -> tuple[str, str]:
    """Draw the number of hidden layers beside their units. Returns the keys of both controls."""
    depths = {len(spec.hidden_units) for spec in specs}
    depth_key = key.replace("hidden_units", DEPTH)
    depth = float(depths.pop()) if len(depths) == 1 else None
    empty: dict[str, Any] = {"value": None} if depth is None else {}
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom"):
        st.number_input(
            "Hidden layers",
            step=1.0,
            format="%g",
            width=132,  # in a narrower field Streamlit leaves out the buttons that step
            help="A layer that is added has as many units as the last one.",
            disabled=options["disabled"],
            placeholder=MIXED,
            **empty,
            **bind(depth_key, depth, change, *identifiers, DEPTH),
        )
        st.text_input("Units", **options)
    return depth_key, key


def changed_fields(name: str, entered: Any, spec: RunSpec) -> dict[str, Any]:
    """The fields that are changed in `spec` by what was entered in the control `name`, a field or `DEPTH`.

    Raises:
        SpecError: of the number of layers. RunSpec refuses other values that are not valid.
    """
    if name != DEPTH:
        return {name: field_value(name, entered)}
    depth, units = parse_integer(entered), spec.hidden_units
    if not isinstance(depth, int) or not 1 <= depth <= MAX_LAYERS:
        shown = "nothing" if entered is None else f"{entered:g}"
        raise SpecError(f"Hidden layers must be a whole number from 1 to {MAX_LAYERS}, but {shown} was given.")
    return {"hidden_units": (*units, *[units[-1]] * (depth - len(units)))[:depth]}


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


def _mixed_value(kind: str) -> str | None:
    return "" if kind in ("number", "array") else None


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


def _render_choice(name: str, schema: dict[str, Any], is_mixed: bool, options: dict[str, Any]) -> None:
    def title(option: str) -> str:
        return format_value(name, option)

    def escaped_title(option: str) -> str:
        return escape_markdown(title(option))

    ids = list(REGISTRIES[name])  # datasets may have been added since the schema was made
    if len(ids) <= MAX_SEGMENTS:
        st.segmented_control(
            schema["title"],
            ids,
            format_func=escaped_title,
            required=not is_mixed,
            wrap=True,
            **options,
        )
    else:
        empty: dict[str, Any] = {"index": None, "placeholder": MIXED} if is_mixed else {}
        st.selectbox(schema["title"], ids, format_func=title, **empty, **options)
    chosen = st.session_state[options["key"]]
    if chosen in REGISTRIES[name]:
        st.caption(escape_markdown(REGISTRIES[name][chosen].description))
    if REGISTRIES[name] is DATASETS:
        for sentence in UNUSABLE.values():
            st.caption(f":material/warning: {escape_markdown(sentence)}")
