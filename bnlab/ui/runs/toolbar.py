"""The controls above the table of runs: search, filters, grouping, columns and timing."""

from collections.abc import Sequence

import streamlit as st
from streamlit.elements.lib.mutable_popover_container import PopoverContainer

from bnlab.charts.formatting import escape_markdown
from bnlab.runs.run import Run
from bnlab.runs.run_table import FIELDS, STATES, present_values
from bnlab.ui.controls import bind
from bnlab.ui.runs.query import (
    COLUMNS,
    GROUP,
    MAX_SEARCH_LENGTH,
    OPTIONAL_COLUMNS,
    SEARCH,
    TIMING,
    RunsQuery,
    change_query,
    current_query,
)

FILTER_MENU, COLUMNS_MENU = "runs-filter-menu", "runs-columns-menu"
FILTER_FIELD = "runs-filter-field"
STATE_PILLS = "runs-states"
MAX_OPTIONS = 500
"""The most values of a field that are offered: more are found by the search."""


def render_toolbar(query: RunsQuery, runs: Sequence[Run]) -> None:
    """Draw the controls for a list of `runs`, which are all there are, and the filters that are set."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="runs-toolbar"):
        st.text_input(
            "Search",
            placeholder="name, tag, setting …",
            max_chars=MAX_SEARCH_LENGTH,
            width=180,
            **bind(SEARCH, query.search, _change, "search"),
        )
        st.selectbox(
            "Group by",
            ["", *FIELDS],
            format_func=lambda name: FIELDS[name].title if name else "No grouping",
            width=160,
            **bind(GROUP, query.group, _change, "group"),
        )
        menu = _menu("Filter", ":material/filter_alt:", FILTER_MENU)
        if menu.open:
            with menu:
                _render_filter(query, runs)
        menu = _menu("Columns", ":material/view_column:", COLUMNS_MENU)
        if menu.open:
            with menu:
                _render_columns(query)
        help_ = "Columns that were measured with a clock: they depend on the machine, and on what else it did."
        st.toggle("Timing", help=help_, **bind(TIMING, query.timing, _change, "timing"))
    present = {*present_values(runs, "state"), *query.filters.get("state", ())}
    st.pills(
        "State",
        [state for state in STATES if state in present],
        selection_mode="multi",
        format_func=STATES.__getitem__,
        wrap=True,
        label_visibility="collapsed",
        **bind(STATE_PILLS, list(query.filters.get("state", ())), _change_filter, "state"),
    )
    _render_filters(query)


def render_nothing_found() -> None:
    """Draw that no run matches, with the button that shows all of them again."""
    st.info("No matching runs.", icon=":material/search_off:")
    st.button("Clear filters", icon=":material/filter_alt_off:", on_click=_clear, key="runs-clear")


def _menu(label: str, icon: str, key: str) -> PopoverContainer:
    """A menu whose controls are to be drawn only while it is open, as those of Compare."""
    return st.popover(label, icon=icon, key=key, on_change="rerun")


def _render_filter(query: RunsQuery, runs: Sequence[Run]) -> None:
    names = [name for name in FIELDS if name != "state"]
    name = st.selectbox("Field", names, format_func=lambda name: FIELDS[name].title, key=FILTER_FIELD)
    wanted = list(query.filters.get(name, ()))
    counts = present_values(runs, name)
    offered = list(dict.fromkeys((*wanted, *list(counts)[:MAX_OPTIONS])))
    st.multiselect(
        "Values",
        offered,
        format_func=lambda text: f"{FIELDS[name].format(text)} ({counts.get(text, 0):,})",
        placeholder="any",
        **bind(f"runs-values-{name}", wanted, _change_filter, name),
    )
    if len(counts) > MAX_OPTIONS:
        st.caption(f"The first {MAX_OPTIONS} of {len(counts):,} values; the search finds the others.")


def _render_columns(query: RunsQuery) -> None:
    st.multiselect(
        "Also show",
        list(OPTIONAL_COLUMNS),
        format_func=OPTIONAL_COLUMNS.__getitem__,
        placeholder="nothing",
        **bind(COLUMNS, list(query.columns), _change, "columns"),
    )
    st.caption("Settings in which the listed runs differ are always shown.")


def _render_filters(query: RunsQuery) -> None:
    """A button for each field with a filter, except for states, whose pills show it."""
    shown = {name: texts for name, texts in query.filters.items() if name != "state"}
    if not shown:
        return
    with st.container(horizontal=True, gap="xsmall", key="runs-filters"):
        for name, texts in shown.items():
            values = ", ".join(escape_markdown(FIELDS[name].format(text)) for text in texts)
            st.button(
                f"{FIELDS[name].title}: {values}",
                icon=":material/close:",
                help="Remove this filter",
                on_click=_remove_filter,
                args=(name,),
                key=f"runs-remove-{name}",
            )


def _change(name: str, value: object) -> str:
    """Change a part of the query (see `bnlab.ui.controls.Change`)."""
    change_query(**{name: tuple(value) if isinstance(value, list) else value})
    return ""


def _change_filter(name: str, texts: Sequence[str]) -> str:
    change_query(filters=current_query().with_filter(name, texts).filters)
    return ""


def _remove_filter(name: str) -> None:
    _change_filter(name, ())


def _clear() -> None:
    change_query(search="", filters={})
