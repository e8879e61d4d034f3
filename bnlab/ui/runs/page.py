"""The Runs page: all runs of the store, to search, open, rename, export and delete."""

from collections.abc import Sequence

import streamlit as st

from bnlab.runs.run import Run, are_active
from bnlab.runs.scheduler import Scheduler
from bnlab.specs.choices import PLACEMENTS
from bnlab.ui import services
from bnlab.ui.components import render_errors, render_heading
from bnlab.ui.navigation import page_path
from bnlab.ui.runs.actions import render_actions
from bnlab.ui.runs.export import render_export
from bnlab.ui.runs.storage import render_disk_use
from bnlab.ui.runs.table import TITLES, in_readers_zone, render_table, shown_state, state_title
from bnlab.ui.runs.teacher import render_teacher
from bnlab.ui.runs.unreadable import render_unreadable
from bnlab.ui.state import PageState, page_state
from bnlab.ui.store_errors import fragment

TICK_SECONDS = 1.0


def render_page() -> None:
    """Draw the page; redrawn once per second while a run is active."""
    scheduler = services.scheduler()
    state = page_state()
    render_heading("Runs", state)
    was_active = are_active(scheduler.store.runs())
    fragment(_render_body, TICK_SECONDS if was_active else None)(scheduler, state, was_active)


def _render_body(scheduler: Scheduler, state: PageState, was_active: bool) -> None:
    runs, unreadable = scheduler.store.runs(), scheduler.store.unreadable_runs()
    render_unreadable(unreadable, state.lesson)
    if not runs:
        st.info("No runs yet. Choose networks on the Compare page and press Train.")
        st.page_link(page_path("compare"), label="Go to Compare", icon=":material/arrow_forward:")
        return
    if matching := _filter_runs(runs):
        chosen = render_table(scheduler.store, matching)
        render_errors(chosen)
        render_actions(state, chosen)
        render_export(chosen)
    else:
        st.info("No run is like that.")
    render_disk_use(scheduler, state.lesson)
    if not state.lesson.is_active():
        render_teacher()
    if was_active != are_active(runs):
        st.rerun()


def _filter_runs(runs: Sequence[Run]) -> list[Run]:
    """Draw the filter, and return the runs that match it: all words of the search, and one of the states."""
    search_column, state_column = st.columns([2, 3])
    search = search_column.text_input("Search", placeholder="name, placement, optimizer …", key="runs-search")
    words = search.casefold().split()
    states = {run.digest: shown_state(run) for run in runs}
    wanted = state_column.pills(
        "State",
        [state for state in TITLES if state in states.values()],
        selection_mode="multi",
        format_func=TITLES.__getitem__,
        key="runs-states",
        wrap=True,
        help="None chosen shows all of them.",
    )
    return [
        run
        for run in runs
        if (not wanted or states[run.digest] in wanted) and all(word in _searchable_text(run) for word in words)
    ]


def _searchable_text(run: Run) -> str:
    """The run's row in the table and the values of its spec."""
    created = f"{in_readers_zone(run.created_at):%Y-%m-%d %H:%M}"
    row = (run.label, state_title(run), PLACEMENTS[run.spec.placement].title, created, run.digest)
    return " ".join(map(str, (*row, *run.spec.model_dump().values()))).casefold()
