"""The dialog that edits a variant: its name and color, its fields, hints, its network and its Keras code."""

from collections.abc import Callable, Sequence

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.charts.network_diagram import network_svg
from bnlab.charts.style import COLOR_NAMES, COLORS, style_of
from bnlab.specs.advice import advise
from bnlab.specs.choices import INITIALIZERS
from bnlab.specs.comparison import MAX_VARIANTS, Comparison, Variant
from bnlab.specs.keras_code import keras_code
from bnlab.specs.lesson import EVERYTHING
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
from bnlab.ui.state import PageState, try_change, update_url

EDITED = "editing"
"""Session key of the index of the edited variant; absent while the dialog is closed."""
FAULT = "editor_fault"
"""Session key of the last error, with the name of the field below which it is shown."""
IDENTITY = "identity"
"""Stands for the name and color in place of a field's name."""


def begin_editing(index: int) -> None:
    """Open the dialog on the variant at `index`, in the next rerun."""
    st.session_state[EDITED] = index
    st.session_state.pop(FAULT, None)


def end_editing() -> None:
    """Close the dialog."""
    st.session_state.pop(EDITED, None)
    st.session_state.pop(FAULT, None)


def render_editor(state: PageState) -> None:
    """Draw the dialog if a variant is edited."""
    index = st.session_state.get(EDITED)
    if index is None:
        return
    if index >= len(state.comparison.variants):
        end_editing()
        return
    dialog = st.dialog("Edit a variant", width="large", icon=":material/tune:", on_dismiss=end_editing)
    dialog(_render)(state, index)


def _render(state: PageState, index: int) -> None:
    update_url(state)
    if index >= len(state.comparison.variants):  # removed in this dialog
        st.rerun()
    variant = state.comparison.variants[index]
    with st.container():
        _render_identity(state, variant, index)
        _render_fault(IDENTITY)
    form, summary = st.columns([3, 2], gap="large")
    with form:
        _render_form(state, variant, index)
    with summary:
        _render_summary(variant)


def _render_identity(state: PageState, variant: Variant, index: int) -> None:
    is_locked = state.lesson.locks(EVERYTHING)
    name, colour = st.columns([3, 2], vertical_alignment="bottom")
    key = f"name-{index}"
    st.session_state[key] = variant.label
    name.text_input("Name", key=key, on_change=_rename, args=(state, variant.label, key), disabled=is_locked)
    key = f"colour-{index}"
    st.session_state[key] = variant.colour
    colour.selectbox(
        "Colour",
        range(len(COLORS)),
        format_func=lambda position: COLOR_NAMES[position],
        key=key,
        on_change=_change_colour,
        args=(state, variant.label, key),
        disabled=is_locked,
    )
    with st.container(horizontal=True):
        is_full = is_locked or len(state.comparison.variants) >= MAX_VARIANTS
        is_last = is_locked or len(state.comparison.variants) == 1
        if st.button("Duplicate", icon=":material/content_copy:", disabled=is_full, key="duplicate"):
            _change(state, lambda comparison: comparison.with_variant(variant))
            begin_editing(len(state.comparison.variants) - 1)
            st.rerun()
        if st.button("Remove", icon=":material/delete:", disabled=is_last, key="remove"):
            _change(state, lambda comparison: comparison.without_variant(variant.label))
            end_editing()
            st.rerun()
        if st.button("Done", icon=":material/check:", type="primary", key="done"):
            end_editing()
            st.rerun()


def _render_form(state: PageState, variant: Variant, index: int) -> None:
    def change_field(name: str, key: str) -> None:
        value = field_value(name, st.session_state[key])
        _change(state, lambda comparison: comparison.with_changes({name: value}, variant.label), name)

    def render_fields(names: Sequence[str]) -> None:
        with st.container():  # keeps its position whatever errors it contains: an expander that moves is closed
            for name in names:
                if name != "initializer_stddev" or INITIALIZERS[variant.spec.kernel_initializer].takes_stddev:
                    key = f"field-{index}-{name}"
                    render_field(name, variant.spec, key, change_field, disabled=state.lesson.locks(name))
                    _render_fault(name)

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


def _rename(state: PageState, label: str, key: str) -> None:
    _change(state, lambda comparison: comparison.with_label(label, st.session_state[key]))


def _change_colour(state: PageState, label: str, key: str) -> None:
    _change(state, lambda comparison: comparison.with_colour(label, st.session_state[key]))


def _change(state: PageState, change: Callable[[Comparison], Comparison], field: str = IDENTITY) -> None:
    if fault := try_change(state, change):
        st.session_state[FAULT] = field, fault


def _render_fault(field: str) -> None:
    """Draw the last error, once, if it is about `field`."""
    fault_field, fault = st.session_state.get(FAULT, ("", ""))
    if fault_field == field:
        st.error(escape_markdown(fault), icon=":material/rule:")
        del st.session_state[FAULT]
