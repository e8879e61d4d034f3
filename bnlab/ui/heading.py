"""The head of a page: its title, the projector's switch, and the link to share."""

import streamlit as st

from bnlab.ui.session import PageState
from bnlab.ui.share import render_share
from bnlab.ui.words import plain

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
        st.warning(f"In this page's address: {plain(fault)}", icon=":material/link_off:")


def _project(state: PageState, key: str) -> None:
    state.settings = state.settings.model_copy(update={"projector": st.session_state[key]})
