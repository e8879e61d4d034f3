"""One variant under the hand: its name and colour, every field, advice, its layers, and its Keras code."""

from collections.abc import Callable, Sequence

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.charts.network_diagram import network_svg
from bnlab.charts.style import COLOUR_NAMES, COLOURS, style_of
from bnlab.specs.advice import advise
from bnlab.specs.choices import INITIALIZERS
from bnlab.specs.comparison import MAX_VARIANTS, Comparison, Variant
from bnlab.specs.keras_code import keras_code
from bnlab.specs.lesson import EVERYTHING
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.compare.form import DATA_FIELDS, MAIN_FIELDS, NORMALIZATION_FIELDS, TRAINING_FIELDS, field_value, render_field
from bnlab.ui.state import PageState, try_change, update_url

EDITING = "editing"
FAULT = "editor_fault"
IDENTITY = "identity"


def begin_editing(place: int) -> None:
    """Open the editor on the variant at that place, with the next run of the page."""
    st.session_state[EDITING] = place
    st.session_state.pop(FAULT, None)


def end_editing() -> None:
    """Close the editor."""
    st.session_state.pop(EDITING, None)
    st.session_state.pop(FAULT, None)


def render_editor(state: PageState) -> None:
    """Draw the editor over the page if a variant is being edited."""
    place = st.session_state.get(EDITING)
    if place is None:
        return
    if place >= len(state.comparison.variants):
        end_editing()
        return
    dialog = st.dialog("Edit a variant", width="large", icon=":material/tune:", on_dismiss=end_editing)
    dialog(_render)(state, place)


def _render(state: PageState, place: int) -> None:
    update_url(state)
    if place >= len(state.comparison.variants):  # removed a moment ago, in this very dialog
        st.rerun()
    variant = state.comparison.variants[place]
    with st.container():
        _render_identity(state, variant, place)
        _render_fault(IDENTITY)
    form, about = st.columns([3, 2], gap="large")
    with form:
        _render_form(state, variant, place)
    with about:
        _render_about(variant)


def _render_identity(state: PageState, variant: Variant, place: int) -> None:
    locked = state.lesson.locks(EVERYTHING)
    name, colour = st.columns([3, 2], vertical_alignment="bottom")
    key = f"name-{place}"
    st.session_state[key] = variant.label
    name.text_input("Name", key=key, on_change=_rename, args=(state, variant.label, key), disabled=locked)
    key = f"colour-{place}"
    st.session_state[key] = variant.colour
    colour.selectbox(
        "Colour",
        range(len(COLOURS)),
        format_func=lambda c: COLOUR_NAMES[c],
        key=key,
        on_change=_recolour,
        args=(state, variant.label, key),
        disabled=locked,
    )
    with st.container(horizontal=True):
        full = locked or len(state.comparison.variants) >= MAX_VARIANTS
        alone = locked or len(state.comparison.variants) == 1
        if st.button("Duplicate", icon=":material/content_copy:", disabled=full, key="duplicate"):
            _try(state, lambda c: c.added(variant))
            begin_editing(len(state.comparison.variants) - 1)
            st.rerun()
        if st.button("Remove", icon=":material/delete:", disabled=alone, key="remove"):
            _try(state, lambda c: c.removed(variant.label))
            end_editing()
            st.rerun()
        if st.button("Done", icon=":material/check:", type="primary", key="done"):
            end_editing()
            st.rerun()


def _render_form(state: PageState, variant: Variant, place: int) -> None:
    def changed(name: str, key: str) -> None:
        entered = field_value(name, st.session_state[key])
        _try(state, lambda c: c.revised({name: entered}, variant.label), name)

    def render(names: Sequence[str]) -> None:
        with st.container():  # which has one place, whatever is said in it: an expander that moves is closed
            for name in names:
                if name != "initializer_stddev" or INITIALIZERS[variant.spec.kernel_initializer].takes_stddev:
                    key = f"field-{place}-{name}"
                    render_field(name, variant.spec, key, changed, disabled=state.lesson.locks(name))
                    _render_fault(name)

    render(MAIN_FIELDS)
    st.divider()
    render(TRAINING_FIELDS)
    with st.expander("Normalization", icon=":material/tune:"):
        render(NORMALIZATION_FIELDS)
    with st.expander("Data and seed", icon=":material/database:"):
        render(DATA_FIELDS)


def _render_about(variant: Variant) -> None:
    network = describe_network(variant.spec)
    st.markdown(network_svg(network, style_of(variant.label, variant.colour)), unsafe_allow_html=True)
    counts = {"Parameters": network.params, "Trainable": network.trainable, "Not trainable": network.non_trainable}
    with st.container(horizontal=True):
        for title, count in counts.items():
            st.metric(title, f"{count:,}", width="content")
    with st.container():  # as above
        render_advice(variant.spec)
    with st.expander("The same in Keras", icon=":material/code:"):
        st.code(keras_code(variant.spec), language="python")


def render_advice(spec: RunSpec) -> None:
    """Draw what there is to say of a spec, each with a link to the page that explains it."""
    for advice in advise(spec):
        show = st.warning if advice.severity == "warning" else st.info
        link = f"[How it works](how_it_works#{advice.topic})"
        show(f"**{advice.title}.** {advice.sentence} {link}", icon=":material/lightbulb:")


def _rename(state: PageState, label: str, key: str) -> None:
    _try(state, lambda c: c.renamed(label, st.session_state[key]))


def _recolour(state: PageState, label: str, key: str) -> None:
    _try(state, lambda c: c.recoloured(label, st.session_state[key]))


def _try(state: PageState, change: Callable[[Comparison], Comparison], at: str = IDENTITY) -> None:
    if fault := try_change(state, change):
        st.session_state[FAULT] = at, fault


def _render_fault(at: str) -> None:
    """Say what was wrong with what was last entered, if that was there."""
    field, fault = st.session_state.get(FAULT, ("", ""))
    if field == at:
        st.error(escape_markdown(fault), icon=":material/rule:")
        del st.session_state[FAULT]
