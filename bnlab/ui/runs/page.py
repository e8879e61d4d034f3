"""The Runs page: every run ever made here, to be filtered, opened, renamed, exported and deleted."""

import time
from collections.abc import Sequence

import streamlit as st

from bnlab.runs.run import Run, are_active
from bnlab.runs.scheduler import Scheduler
from bnlab.specs.choices import PLACEMENTS
from bnlab.ui import services
from bnlab.ui.components import render_errors, render_heading
from bnlab.ui.runs.actions import render_actions
from bnlab.ui.runs.export import render_export
from bnlab.ui.runs.storage import render_disk
from bnlab.ui.runs.table import TITLES, render_table, shown_state, state_title
from bnlab.ui.state import PageState, page_state

TICK_SECONDS = 1.0


def render_page() -> None:
    """Draw the page; it is drawn anew once a second while a run is active."""
    lab = services.scheduler()
    state = page_state()
    render_heading("Runs", state)
    active = are_active(lab.store.runs())
    st.fragment(run_every=TICK_SECONDS if active else None)(_render_body)(lab, state, active)


def _render_body(lab: Scheduler, state: PageState, watching: bool) -> None:
    runs = lab.store.runs()
    if not runs:
        st.info("No runs yet. Choose networks on the Compare page and press Train.")
        st.page_link("pages/compare.py", label="Go to Compare", icon=":material/arrow_forward:")
        return
    if found := _render_filter(runs):
        chosen = render_table(lab.store, found)
        render_errors(chosen)
        render_actions(lab, state, chosen)
        render_export(lab, chosen)
    else:
        st.info("No run is like that.")
    render_disk(lab, state.lesson)
    if watching != are_active(runs):
        st.rerun()


def _render_filter(runs: Sequence[Run]) -> list[Run]:
    words, states = st.columns([2, 3])
    text = words.text_input("Search", placeholder="name, placement, optimizer …", key="runs-search").casefold().split()
    of_run = {run.digest: shown_state(run) for run in runs}
    present = [state for state in TITLES if state in of_run.values()]
    wanted = states.pills(
        "State",
        present,
        selection_mode="multi",
        format_func=TITLES.__getitem__,
        key="runs-states",
        wrap=True,
        help="None chosen shows all of them.",
    )
    return [
        run
        for run in runs
        if (not wanted or of_run[run.digest] in wanted) and all(word in _searched(run) for word in text)
    ]


def _searched(run: Run) -> str:
    """What the table says of the run, and all of its spec."""
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created_at))
    shown = (run.label, state_title(run), PLACEMENTS[run.spec.placement].title, made, run.digest)
    return " ".join(map(str, (*shown, *run.spec.model_dump().values()))).casefold()
