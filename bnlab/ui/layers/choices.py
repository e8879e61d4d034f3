"""What the reader chooses on the Layers page: the view, the networks and the layers."""

from collections.abc import Mapping, Sequence

import streamlit as st

from bnlab.charts.formatting import escape_html
from bnlab.charts.style import Style, sample_svg
from bnlab.specs.run_spec import RunSpec

VIEW = "layers-view"
"""The key of the view's control, and the parameter in which the address has its id."""
MAX_LAYERS_AT_ONCE = 4
"""Of more layers than these, some are chosen; the first ones until then."""
FIRST_LAYERS = 3


def choose_view(titles: Mapping[str, str], by_title: Mapping[str, str]) -> str:
    """The id of one of the views, the first at first; `titles` by id, and `by_title` what old addresses have."""
    first, *_ = titles
    if VIEW not in st.session_state:
        given = st.query_params.get(VIEW, first)
        given = by_title.get(given, given)
        st.session_state[VIEW] = given if given in titles else first
    chosen = st.segmented_control(
        "View",
        list(titles),
        format_func=titles.__getitem__,
        required=True,
        key=VIEW,
        persist_state="session",
        label_visibility="collapsed",
    )
    name = chosen or first
    _write_view("" if name == first else name)
    return name


def _write_view(name: str) -> None:
    # By hand: bound to the address, the control would write the view's title there.
    if name == st.query_params.get(VIEW, ""):
        return
    if name:
        st.query_params[VIEW] = name
    else:
        del st.query_params[VIEW]


def choose_networks(specs: Mapping[str, RunSpec]) -> list[str]:
    """Some of the labels of `specs`; at first the first without normalization and the last with it."""
    labels = list(specs)
    plain = [label for label, spec in specs.items() if not has_normalization(spec)]
    normalized = [label for label in labels if label not in plain]
    default = [label for label in labels if label in (*plain[:1], *normalized[-1:])]
    chosen = st.pills(
        "Networks", labels, selection_mode="multi", default=default, key="layers-networks", bind="query-params"
    )
    return [label for label in labels if label in (chosen or ())]


def has_normalization(spec: RunSpec) -> bool:
    """Whether the network has a normalization layer."""
    return spec.placement != "none" or spec.input_normalization


def choose_layers(names: Sequence[str], key: str) -> list[str]:
    """All of a few layers, or those that the reader chooses of many."""
    if len(names) <= MAX_LAYERS_AT_ONCE:
        return list(names)
    default = list(names[:FIRST_LAYERS])
    chosen = st.multiselect("Layers", names, default=default, key=key, bind="query-params")
    return [name for name in names if name in chosen]


def render_legend(styles: Sequence[Style], remarks: Mapping[str, Sequence[str]]) -> None:
    """Whose line is whose, for all charts at once; `remarks` map what is to be said to the networks it is true of."""
    entries = [f"{sample_svg(style)}{escape_html(style.name)}" for style in styles]
    entries += [
        f'<span style="opacity:0.75">{remark}: {escape_html(", ".join(labels))}</span>'
        for remark, labels in remarks.items()
    ]
    spans = [f'<span style="display:inline-block;margin-right:1.5em">{entry}</span>' for entry in entries]
    # The margin is a paragraph's, which Streamlit counts on below everything that is Markdown.
    st.markdown(f'<div style="margin-bottom:1rem">{"".join(spans)}</div>', unsafe_allow_html=True)
