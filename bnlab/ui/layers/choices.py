"""Controls of the Layers page, for the view, the networks and the layers, and the legend below them."""

from collections.abc import Mapping, Sequence

import streamlit as st

from bnlab.charts.formatting import escape_html, escape_markdown
from bnlab.charts.style import Style, sample_svg
from bnlab.live.layers import NETWORKS, VIEW
from bnlab.runs.folding import has_normalization
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.live import live_text

_DEFAULT_NETWORKS = "layers-networks-default"
MAX_LAYERS = 4
"""Networks with more layers get a control to choose some of them; by default the first few."""
DEFAULT_LAYERS = 3


def choose_view(titles: Mapping[str, str], ids_by_title: Mapping[str, str]) -> str:
    """The id of the chosen view. `titles` are by id, and `ids_by_title` translates the titles in old URLs."""
    default, *_ = titles
    if VIEW not in st.session_state:
        requested = st.query_params.get(VIEW, default)
        requested = ids_by_title.get(requested, requested)
        st.session_state[VIEW] = requested if requested in titles else default
    chosen = st.segmented_control(
        "View",
        list(titles),
        format_func=titles.__getitem__,
        required=True,
        key=VIEW,
        persist_state="session",
        label_visibility="collapsed",
    )
    view_id = chosen or default
    set_query_parameter(VIEW, *() if view_id == default else (view_id,))
    return view_id


def set_query_parameter(name: str, *values: str) -> None:
    """Write a parameter with `values` to the URL, or remove it if there are none.

    For widgets that are not bound to the URL, because Streamlit would write an option's title there and not its id.
    """
    if list(values) == st.query_params.get_all(name):
        return
    if values:
        st.query_params[name] = values
    else:
        del st.query_params[name]


def choose_networks(specs: Mapping[str, RunSpec]) -> list[str]:
    """The chosen labels of `specs`; by default the first network without normalization and the last one with it."""
    labels = list(specs)
    plain = [label for label, spec in specs.items() if not has_normalization(spec)]
    normalized = [label for label in labels if label not in plain]
    default = [label for label in labels if label in (*plain[:1], *normalized[-1:])]
    st.session_state[NETWORKS] = _networks_to_show(labels, default)
    st.session_state[_DEFAULT_NETWORKS] = default
    chosen = st.pills(
        "Networks",
        labels,
        selection_mode="multi",
        format_func=escape_markdown,
        key=NETWORKS,
        persist_state="session",
    )
    shown = [label for label in labels if label in chosen]
    set_query_parameter(NETWORKS, *() if shown == default else shown or [""])
    return shown


def _networks_to_show(labels: Sequence[str], default: list[str]) -> list[str]:
    """The labels that were chosen; at first those in the URL. `default` as long as it was not changed."""
    if NETWORKS in st.session_state:
        chosen = st.session_state[NETWORKS]
        if chosen == st.session_state.get(_DEFAULT_NETWORKS):  # which depends on what has been trained
            return default
    else:
        chosen = chosen_networks(st.query_params.get_all(NETWORKS), labels)
        if chosen is None:
            return default
    known = [label for label in labels if label in chosen]
    return known if known or not chosen else default


def chosen_networks(values: Sequence[str], labels: Sequence[str]) -> list[str] | None:
    """The labels that the URL's `values` name, [] if they name none on purpose; None if the URL does not say.

    Earlier versions wrote labels as the control shows them, with their signs of Markdown escaped.
    """
    if not values:
        return None
    escaped = {escape_markdown(label): label for label in labels}
    return [value if value in labels else escaped.get(value, value) for value in values if value]


def choose_layers(names: Sequence[str], key: str) -> list[str]:
    """All layers if there are few, else the chosen ones."""
    if len(names) <= MAX_LAYERS:
        return list(names)
    default = list(names[:DEFAULT_LAYERS])
    chosen = st.multiselect("Layers", names, default=default, key=key, bind="query-params")
    return [name for name in names if name in chosen]


def render_legend(styles: Sequence[Style], remarks: str) -> None:
    """Draw one legend for all charts, and below it remarks on the networks, which the event stream brings."""
    entries = [f"{sample_svg(style)}{escape_html(style.name)}" for style in styles]
    spans = [f'<span style="display:inline-block;margin-right:1.5em">{entry}</span>' for entry in entries]
    with st.container(key="layers-legend"):
        # Streamlit assumes a paragraph's margin below everything in Markdown.
        st.markdown(f'<div style="margin-bottom:1rem">{"".join(spans)}</div>', unsafe_allow_html=True)
        live_text("remarks", remarks, key="layers-remarks")
