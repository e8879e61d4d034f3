"""Parts shared by several pages: the heading, links to Compare, errors of runs, number formats."""

from collections.abc import Callable, Iterable

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.runs.run import Run
from bnlab.specs.comparison import Comparison
from bnlab.ui.controls import bind
from bnlab.ui.navigation import page_path
from bnlab.ui.share import render_share
from bnlab.ui.state import PageState, current_state, target_parameters

PERCENT = "%.2f %%"
"""The number format of table columns in percent; Streamlit's "percent" drops trailing zeros."""

# A page opened from another one would keep that page's scroll position. And what is drawn above an anchor pushes it
# away: follow it until the page stops growing or the reader scrolls. The title in the comment makes the script differ
# from page to page, so that it runs once on each.
_SCROLL_SCRIPT = """<script>/* %s */
(() => {
  if (!location.hash) return document.querySelector(".stMain")?.scrollTo(0, 0);
  const follow = () => document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  const growth = new ResizeObserver(follow);
  const end = () => growth.disconnect();
  growth.observe(document.querySelector(".stMainBlockContainer"));
  for (const event of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(event, end, { once: true });
  setTimeout(end, 8000);
})();
</script>"""


def render_heading(title: str, state: PageState) -> None:
    """Draw the title, the Projector and Share controls to its right, and warnings about the page's URL."""
    with st.container(key="scroll-script"):
        st.html(_SCROLL_SCRIPT % title, unsafe_allow_javascript=True)
        if state.settings.projector:  # style.css enlarges the page by this key, so it comes before the rest
            with st.container(key="large-type"):
                st.html("<span></span>")
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="heading"):
        st.title(title, width="stretch")
        help_ = "Large type, and on Compare one large chart, for the last row."
        st.toggle("Projector", help=help_, **bind("projector", state.settings.projector, change_setting, "projector"))
        render_share(state)
    for fault in state.faults:
        st.warning(f"In this page's address: {escape_markdown(fault)}", icon=":material/link_off:")


def screen_reader_text(text: str) -> str:
    """Markdown of a part of a button's name that is read to screen readers and not shown.

    It tells the button from others with the same words; style.css hides colored text in names.
    """
    return f":gray[{escape_markdown(text)}]"


def change_setting(name: str, value: object) -> str:
    """Change a setting of the curves in the current state (see `bnlab.ui.controls.Change`)."""
    state = current_state()
    if value is not None:  # a control that has not been drawn since the page changed has no value
        state.settings = state.settings.model_copy(update={name: value})
    return ""


def render_compare_link(
    label: str,
    state: PageState,
    key: str,
    target: Callable[..., Comparison | None],
    *identifiers: object,
    icon: str | None = None,
    why_not: str | None = None,
) -> None:
    """Draw a link that opens on the Compare page what `target`, called with `identifiers`, returns when it is followed.

    While that is None it is disabled, with `why_not` as help. A button could do the same, but would change the page by
    a script, after which a tick of the page that is left could empty the app.
    """
    parameters = target_parameters(state, key, target, *identifiers)
    with st.container(key=f"compare-{key}", width="content"):
        st.page_link(
            page_path("compare"),
            label=label,
            icon=icon,
            help=why_not,
            disabled=parameters is None,
            query_params=parameters,
        )


def render_errors(runs: Iterable[Run]) -> None:
    """Draw the error of each failed run, with the run's label."""
    for run in runs:
        if run.error:
            st.error(f"{escape_markdown(run.label)}: {escape_markdown(run.error)}", icon=":material/error:")
