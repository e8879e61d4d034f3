"""The Runs page: all runs of the store, to search, open, rename, export and delete."""

from collections.abc import Sequence

import streamlit as st

from bnlab.live.runs import runs_version
from bnlab.runs.run import Run, are_active
from bnlab.runs.scheduler import Scheduler
from bnlab.specs.choices import PLACEMENTS
from bnlab.ui import services
from bnlab.ui.components import render_errors, render_heading
from bnlab.ui.live import TableColumn, follow, live_table, live_text
from bnlab.ui.navigation import page_path
from bnlab.ui.runs.actions import render_actions
from bnlab.ui.runs.export import render_export
from bnlab.ui.runs.storage import render_disk_use
from bnlab.ui.runs.table import TITLES, in_readers_zone, render_table, shown_state, state_title
from bnlab.ui.runs.teacher import render_teacher
from bnlab.ui.runs.unreadable import render_unreadable
from bnlab.ui.state import PageState, page_state


def render_page() -> None:
    """Draw the page; what moves of the active runs is the event stream's (`bnlab.live.runs`)."""
    scheduler, state = services.scheduler(), page_state()
    render_heading("Runs", state)
    runs, problem = scheduler.store.runs(), scheduler.problem
    render_unreadable(scheduler.store.unreadable_runs(), state.lesson)
    _render_body(scheduler, state, runs)
    follow("runs", {}, runs_version(runs, problem))


def _render_body(scheduler: Scheduler, state: PageState, runs: Sequence[Run]) -> None:
    if not runs:
        st.info("No runs yet. Choose networks on the Compare page and press Train.")
        st.page_link(page_path("compare"), label="Go to Compare", icon=":material/arrow_forward:")
        return
    if are_active(runs):
        _render_active()
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


def _render_active() -> None:
    """The runs that wait or train, from the stream."""
    with st.container(key="runs-active", gap="xsmall"):
        live_text("summary", "", key="runs-summary")
        columns = [
            TableColumn("label", "Name", numeric=False),
            TableColumn("share", "Trained"),
            TableColumn("state", "State", numeric=False),
        ]
        live_table("active", columns, key="runs-active-table")


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
