"""What several pages have in common: the heading, links to Compare, errors of runs."""

from collections.abc import Iterable

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.runs.run import Run
from bnlab.specs.comparison import Comparison
from bnlab.ui.share import render_share
from bnlab.ui.state import PageState, link_parameters

# A page that another one opens would begin where that one was read; and what an address points to is pushed away by
# what is drawn above it later: it is gone after until the page has come to rest, or the reader takes over. It runs once
# a page, whose name is in it.
_ARRIVE = """<script>/* %s */
(() => {
  if (!location.hash) return document.querySelector(".stMain")?.scrollTo(0, 0);
  const follow = () => document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  const growing = new ResizeObserver(follow);
  const end = () => growing.disconnect();
  growing.observe(document.querySelector(".stMainBlockContainer"));
  for (const own of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(own, end, { once: true });
  setTimeout(end, 8000);
})();
</script>"""


def render_heading(title: str, state: PageState) -> None:
    """Draw the title, with the switches that concern the whole page to its right."""
    with st.container(key="arrival"):
        st.html(_ARRIVE % title, unsafe_allow_javascript=True)
        if state.settings.projector:  # before what is sized by it: see style.css
            with st.container(key="large-type"):
                st.html("<span></span>")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(title, width="stretch")
        key = "projector"
        st.session_state[key] = state.settings.projector
        help_ = "Large type and thick lines, for the last row."
        st.toggle("Projector", key=key, help=help_, on_change=_project, args=(state, key))
        render_share(state)
    for fault in state.faults:
        st.warning(f"In this page's address: {escape_markdown(fault)}", icon=":material/link_off:")


def _project(state: PageState, key: str) -> None:
    state.settings = state.settings.model_copy(update={"projector": st.session_state[key]})


def render_compare_link(
    label: str,
    state: PageState,
    comparison: Comparison | None,
    *,
    key: str,
    icon: str | None = None,
    why_not: str | None = None,
) -> None:
    """Draw the link that puts `comparison` on the `state` and goes to Compare; without one it says `why_not`."""
    with st.container(key=f"compare-{key}", width="content"):
        st.page_link(
            "pages/compare.py",
            label=label,
            icon=icon,
            help=why_not,
            disabled=comparison is None,
            query_params=link_parameters(state, comparison) if comparison else None,
        )


def render_errors(runs: Iterable[Run]) -> None:
    """Say why those of `runs` that failed did."""
    for run in runs:
        if run.error:
            st.error(f"{escape_markdown(run.label)}: {escape_markdown(run.error)}", icon=":material/error:")
