"""The dialog that edits a variant: its name and color, its fields, hints, its network and its Keras code."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.charts.network_diagram import network_svg
from bnlab.charts.style import COLOR_NAMES, COLORS, style_of
from bnlab.specs.advice import advise
from bnlab.specs.choices import INITIALIZERS
from bnlab.specs.comparison import MAX_VARIANTS, Comparison, Variant
from bnlab.specs.keras_code import keras_code
from bnlab.specs.lesson import ALL_FIELDS
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.compare.form import (
    DATA_FIELDS,
    MAIN_FIELDS,
    NORMALIZATION_FIELDS,
    TRAINING_FIELDS,
    field_value,
    render_field,
)
from bnlab.ui.controls import apply_changes, bind, fault, forget_controls
from bnlab.ui.state import PageState, current_state, try_change, update_url

EDITED = "editing"
"""Session key of the index of the edited variant; None or absent while the dialog is closed."""
FAULT = "editor_fault"
"""Session key of the error of the last button in the dialog."""
KEYS = ("name-", "colour-", "field-")
"""How the keys of the dialog's controls begin."""


def begin_editing(label: str) -> None:
    """Open the dialog on the variant `label`, in the next rerun. A callback of buttons."""
    apply_changes()
    labels = current_state().comparison.labels
    if label in labels:
        _edit(labels.index(label))


def end_editing() -> None:
    """Close the dialog, after what was entered in it is applied. A callback of buttons."""
    apply_changes()
    _edit(None)


def _edit(index: int | None) -> None:
    """Edit the variant at `index`, or none."""
    st.session_state[EDITED] = index
    st.session_state.pop(FAULT, None)
    forget_controls(*KEYS)


def render_editor(state: PageState) -> None:
    """Draw the dialog if a variant is edited."""
    index = st.session_state.get(EDITED)
    if index is None:
        return
    if index >= len(state.comparison.variants):
        _edit(None)
        return
    dialog = st.dialog("Edit a variant", width="large", icon=":material/tune:", on_dismiss=end_editing)
    dialog(_render)()


def _render() -> None:
    state, index = current_state(), st.session_state.get(EDITED)
    update_url(state)
    if index is None or index >= len(state.comparison.variants):  # a button in this dialog has ended it
        st.rerun()
    variant = state.comparison.variants[index]
    with st.container():
        _render_identity(state, variant, index)
    form, summary = st.columns([3, 2], gap="large")
    with form:
        _render_form(state, variant, index)
    with summary:
        _render_summary(variant)


def _render_identity(state: PageState, variant: Variant, index: int) -> None:
    is_locked = state.lesson.locks(ALL_FIELDS)
    name, colour = st.columns([3, 2], vertical_alignment="bottom")
    name_control = bind(f"name-{index}", variant.label, _rename, index)
    name.text_input("Name", disabled=is_locked, **name_control)
    colour_control = bind(f"colour-{index}", variant.colour, _change_colour, index)
    colour.selectbox(
        "Colour",
        range(len(COLORS)),
        format_func=lambda position: COLOR_NAMES[position],
        disabled=is_locked,
        **colour_control,
    )
    with st.container(horizontal=True):
        is_full = is_locked or len(state.comparison.variants) >= MAX_VARIANTS
        is_last = is_locked or len(state.comparison.variants) == 1
        copy, bin_, check = ":material/content_copy:", ":material/delete:", ":material/check:"
        st.button("Duplicate", icon=copy, disabled=is_full, on_click=_duplicate, key="duplicate")
        st.button("Remove", icon=bin_, disabled=is_last, on_click=_remove, key="remove")
        st.button("Done", icon=check, type="primary", on_click=_end_dialog, key="done")
    for text in dict.fromkeys(
        filter(None, (st.session_state.pop(FAULT, ""), fault(name_control["key"]), fault(colour_control["key"])))
    ):
        st.error(escape_markdown(text), icon=":material/rule:")


def _render_form(state: PageState, variant: Variant, index: int) -> None:
    def render_fields(names: Sequence[str]) -> None:
        with st.container():  # keeps its position whatever errors it contains: an expander that moves is closed
            for name in names:
                if name != "initializer_stddev" or INITIALIZERS[variant.spec.kernel_initializer].takes_stddev:
                    key = f"field-{index}-{name}"
                    is_locked = state.lesson.locks(name)
                    render_field(name, variant.spec, key, _change_field, index, disabled=is_locked)
                    if text := fault(key):
                        st.error(escape_markdown(text), icon=":material/rule:")

    render_fields(MAIN_FIELDS)
    st.divider()
    render_fields(TRAINING_FIELDS)
    with st.expander("Normalization", icon=":material/tune:"):
        render_fields(NORMALIZATION_FIELDS)
    with st.expander("Data and seed", icon=":material/database:"):
        render_fields(DATA_FIELDS)


def _render_summary(variant: Variant) -> None:
    network = describe_network(variant.spec)
    st.markdown(network_svg(network, style_of(variant.label, variant.colour)), unsafe_allow_html=True)
    counts = {"Parameters": network.params, "Trainable": network.trainable, "Not trainable": network.non_trainable}
    with st.container(horizontal=True):
        for title, count in counts.items():
            st.metric(title, f"{count:,}", width="content")
    with st.container():  # keeps the position of the expander below
        _render_advice(variant.spec)
    with st.expander("The same in Keras", icon=":material/code:"):
        st.code(keras_code(variant.spec), language="python")


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
    return _change(index, lambda comparison, label: comparison.with_changes({name: field_value(name, entered)}, label))


def _change(index: int, change: Callable[[Comparison, str], Comparison]) -> str:
    """Apply `change`, a function of the comparison and a label, to the variant at `index`; see `try_change`."""
    labels = current_state().comparison.labels
    return try_change(current_state(), lambda comparison: change(comparison, labels[index])) if labels[index:] else ""


def _duplicate() -> None:
    """Duplicate the edited variant, and edit the copy."""
    apply_changes()
    index, state = st.session_state.get(EDITED), current_state()
    if index is None:
        return
    variant = state.comparison.variants[index]
    if refused := try_change(state, lambda comparison: comparison.with_variant(variant)):
        st.session_state[FAULT] = refused
    else:
        _end_dialog(len(state.comparison.variants) - 1)


def _remove() -> None:
    """Remove the edited variant. A second press, before the dialog is gone, removes nothing more."""
    apply_changes()
    index, state = st.session_state.get(EDITED), current_state()
    if index is None:
        return
    label = state.comparison.labels[index]
    if refused := try_change(state, lambda comparison: comparison.without_variant(label)):
        st.session_state[FAULT] = refused
    else:
        _end_dialog()


def _end_dialog(next_index: int | None = None) -> None:
    """Close the dialog, or open it on another variant. Reruns the whole page, of which the dialog is a fragment."""
    apply_changes()
    _edit(next_index)
    st.rerun()
