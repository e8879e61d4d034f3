"""The panel beside the curves with the settings of all variants, or of one: its name, fields, hints and Keras code."""

import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.charts.network_diagram import network_svg
from bnlab.charts.style import COLOR_NAMES, COLORS, style_of
from bnlab.specs.advice import advise
from bnlab.specs.choices import INITIALIZERS
from bnlab.specs.comparison import MAX_VARIANTS, Comparison, Variant
from bnlab.specs.datasets import Dataset
from bnlab.specs.keras_code import keras_code
from bnlab.specs.lesson import ALL_FIELDS
from bnlab.specs.naming import with_current_labels
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.compare.form import (
    DATA_FIELDS,
    MAIN_FIELDS,
    NORMALIZATION_FIELDS,
    TRAINING_FIELDS,
    changed_fields,
    parse_integer,
    render_field,
    whole_number_value,
)
from bnlab.ui.controls import apply_changes, bind, fault, forget_controls
from bnlab.ui.state import PageState, current_state, try_change

SHOWN = "settings-shown"
"""Session key of what the panel shows: `ALL`, or the index of a variant; absent while it is closed."""
ALL = -1
FAULT = "settings_fault"
"""Session key of the error of the last button in the panel."""
SEEDS = "seeds"
_CHOICE = "settings-of"
_KEYS = ("name-", "colour-", "field-", "all-", SEEDS, _CHOICE)
"""How the keys of the panel's controls begin."""


def begin_editing(label: str) -> None:
    """Show the settings of the variant `label`. A callback of buttons."""
    apply_changes()
    state = current_state()
    label, labels = state.current_label(label), state.comparison.labels
    if label in labels:
        _show(labels.index(label))


def toggle_settings() -> None:
    """Show the settings of all variants, or close the panel. A callback of buttons."""
    apply_changes()
    _show(None if shown_settings() is not None else ALL)


def close_settings() -> None:
    """Close the panel, after what was entered in it is applied. A callback of buttons."""
    apply_changes()
    _show(None)


def shown_settings() -> int | None:
    """`ALL`, the index of the variant whose settings are shown, or None while the panel is closed."""
    shown: int | None = st.session_state.get(SHOWN)
    return shown


def _show(shown: int | None) -> None:
    st.session_state[SHOWN] = shown
    st.session_state.pop(FAULT, None)
    forget_controls(*_KEYS)


def render_settings(state: PageState) -> None:
    """Draw the panel if it is open. Its container is always there, so that nothing else is drawn again."""
    shown = shown_settings()
    if shown is not None and shown >= len(state.comparison.variants):
        _show(shown := None)
    with st.container(key="settings"):
        if shown is None:
            return
        _render_header(state, shown)
        if shown == ALL:
            _render_settings_of_all(state)
        else:
            _render_settings_of_one(state, shown)


def _render_header(state: PageState, shown: int) -> None:
    labels = state.comparison.labels
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", wrap=False):
        st.selectbox(
            "Settings of",
            [ALL, *range(len(labels))],
            format_func=lambda index: "all variants" if index == ALL else labels[index],
            # Another control after a change of the names, which the browser takes for the values.
            **bind(f"{_CHOICE}-{zlib.crc32(repr(labels).encode())}", shown, _choose),
        )
        st.button("Close", icon=":material/close:", type="tertiary", on_click=close_settings, key="done")


def _choose(shown: int | None) -> str:
    if shown is not None:
        apply_changes()  # before the controls of what was shown are forgotten
        _show(shown)
    return ""


def _render_settings_of_all(state: PageState) -> None:
    specs = [variant.spec for variant in state.comparison.variants]

    def render_fields(names: Sequence[str]) -> None:
        _render_fields(state, specs, names, "all-", _change_all)

    render_fields(MAIN_FIELDS)
    st.divider()
    render_fields(TRAINING_FIELDS)
    _render_seeds(state)
    _render_more_fields(render_fields)


def _render_settings_of_one(state: PageState, index: int) -> None:
    variant = state.comparison.variants[index]

    def render_fields(names: Sequence[str]) -> None:
        _render_fields(state, [variant.spec], names, f"field-{index}-", _change_field, index)

    with st.container():
        _render_identity(state, variant, index)
    st.markdown(
        network_svg(describe_network(variant.spec), style_of(variant.label, variant.colour)), unsafe_allow_html=True
    )
    with st.container():  # keeps the position of what is below
        _render_advice(variant.spec)
    render_fields(MAIN_FIELDS)
    st.divider()
    render_fields(TRAINING_FIELDS)
    _render_more_fields(render_fields)
    _render_counts(variant.spec)
    with st.expander("Keras code", icon=":material/code:"):
        st.code(keras_code(variant.spec), language="python")


def _render_more_fields(render_fields: Callable[[Sequence[str]], None]) -> None:
    with st.expander("Normalization", icon=":material/tune:"):
        render_fields(NORMALIZATION_FIELDS)
    with st.expander("Data and seed", icon=":material/database:"):
        render_fields(DATA_FIELDS)


def _render_fields(
    state: PageState, specs: Sequence[RunSpec], names: Sequence[str], prefix: str, change: Any, *identifiers: object
) -> None:
    takes_stddev = any(INITIALIZERS[spec.kernel_initializer].takes_stddev for spec in specs)
    with st.container():  # keeps its position whatever errors it contains: an expander that moves is closed
        for name in names:
            if name == "initializer_stddev" and not takes_stddev:
                continue
            key = prefix + name
            for shown in render_field(name, specs, key, change, *identifiers, disabled=state.lesson.locks(name)):
                if text := fault(shown):
                    st.error(escape_markdown(text), icon=":material/rule:")


def _render_seeds(state: PageState) -> None:
    st.number_input(
        "Seeds",
        step=1.0,
        format="%g",
        help="Runs per variant, each with its own seed; curves show mean and spread.",
        disabled=state.lesson.locks(ALL_FIELDS),
        **bind(SEEDS, whole_number_value(state.comparison.seeds), _set_seeds),
    )
    if text := fault(SEEDS):
        st.error(escape_markdown(text), icon=":material/rule:")


def _set_seeds(entered: Any) -> str:
    return try_change(current_state(), lambda comparison: comparison.with_seeds(parse_integer(entered)))


def _render_identity(state: PageState, variant: Variant, index: int) -> None:
    is_locked = state.lesson.locks(ALL_FIELDS)
    name_control = bind(f"name-{index}", variant.label, _rename, index)
    st.text_input("Name", disabled=is_locked, **name_control)
    colour_control = bind(f"colour-{index}", variant.colour, _change_colour, index)
    st.selectbox(
        "Color",
        range(len(COLORS)),
        format_func=lambda position: COLOR_NAMES[position],
        disabled=is_locked,
        **colour_control,
    )
    with st.container(horizontal=True):
        is_full = is_locked or len(state.comparison.variants) >= MAX_VARIANTS
        is_last = is_locked or len(state.comparison.variants) == 1
        copy, bin_ = ":material/content_copy:", ":material/delete:"
        st.button("Duplicate", icon=copy, disabled=is_full, on_click=_duplicate, key="duplicate")
        st.button("Remove", icon=bin_, disabled=is_last, on_click=_remove, key="remove")
    for text in dict.fromkeys(
        filter(None, (st.session_state.pop(FAULT, ""), fault(name_control["key"]), fault(colour_control["key"])))
    ):
        st.error(escape_markdown(text), icon=":material/rule:")


def _render_counts(spec: RunSpec) -> None:
    st.caption(parameters_text(spec))


def parameters_text(spec: RunSpec) -> str:
    """The number of a network's parameters: "Parameters: 267,410 trainable, 800 non-trainable"."""
    return _parameters_text(spec, spec.data)


@lru_cache(maxsize=256)
def _parameters_text(spec: RunSpec, _data: Dataset) -> str:
    network = describe_network(spec)
    non_trainable = f", {network.non_trainable:,} non-trainable" if network.non_trainable else ""
    return f"Parameters: {network.trainable:,} trainable{non_trainable}"


def _render_advice(spec: RunSpec) -> None:
    """Draw the hints about a spec, each with a link to the section that explains it."""
    for advice in advise(spec):
        show = st.warning if advice.severity == "warning" else st.info
        link = f"[How it works](how_it_works#{advice.topic})"
        show(f"**{advice.title}.** {advice.sentence} {link}", icon=":material/lightbulb:")


def _rename(index: int, entered: str) -> str:
    return _change(index, lambda comparison, label: comparison.with_label(label, entered))


def _change_colour(index: int, entered: int) -> str:
    return _change(index, lambda comparison, label: comparison.with_colour(label, entered))


def _change_field(index: int, name: str, entered: Any) -> str:
    return _change(index, lambda comparison, label: _with_field(comparison, [label], name, entered))


def _change_all(name: str, entered: Any) -> str:
    return try_change(
        current_state(),
        lambda comparison: _with_field(comparison, comparison.labels, name, entered),
        keeps_variants=True,
    )


def _with_field(comparison: Comparison, labels: Sequence[str], name: str, entered: Any) -> Comparison:
    """The comparison with what was entered in the control of a field for the variants `labels`."""
    changed = comparison
    for label in labels:
        changed = changed.with_changes(changed_fields(name, entered, changed[label].spec), label)
    return with_current_labels(comparison, changed)


def _change(index: int, change: Callable[[Comparison, str], Comparison]) -> str:
    """Apply `change`, a function of the comparison and a label, to the variant at `index`; see `try_change`."""
    labels = current_state().comparison.labels
    if not labels[index:]:
        return ""
    return try_change(current_state(), lambda comparison: change(comparison, labels[index]), keeps_variants=True)


def _duplicate() -> None:
    """Duplicate the variant that is shown, and show the copy."""
    apply_changes()
    index, state = shown_settings(), current_state()
    if index is None or index == ALL:
        return
    variant = state.comparison.variants[index]
    if refused := try_change(state, lambda comparison: comparison.with_variant(variant)):
        st.session_state[FAULT] = refused
    else:
        _show(len(state.comparison.variants) - 1)


def _remove() -> None:
    """Remove the variant that is shown. A second press, before the panel is gone, removes nothing more."""
    apply_changes()
    index, state = shown_settings(), current_state()
    if index is None or index == ALL:
        return
    label = state.comparison.labels[index]
    if refused := try_change(state, lambda comparison: comparison.without_variant(label)):
        st.session_state[FAULT] = refused
    else:
        _show(None)
