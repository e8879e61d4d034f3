"""The Runs page: all runs of the store, to search, open, rename, export and delete."""

from collections.abc import Sequence

import streamlit as st

from bnlab.live.reading import DEFAULT_VERSION, STATES_VERSION
from bnlab.live.runs import MAX_LISTED, runs_versions
from bnlab.runs.progress import summary_text
from bnlab.runs.run import Run
from bnlab.runs.run_table import matching_runs, state_title
from bnlab.runs.scheduler import Scheduler
from bnlab.specs.diff import REGISTRIES
from bnlab.ui import services
from bnlab.ui.components import render_errors, render_heading
from bnlab.ui.lesson import hides_page
from bnlab.ui.live import TableColumn, follow, live_table, live_text
from bnlab.ui.navigation import page_path
from bnlab.ui.runs.actions import render_actions
from bnlab.ui.runs.export import render_export
from bnlab.ui.runs.query import RunsQuery, runs_query
from bnlab.ui.runs.storage import render_disk_use
from bnlab.ui.runs.table import in_readers_zone, render_table
from bnlab.ui.runs.teacher import render_teacher
from bnlab.ui.runs.toolbar import render_nothing_found, render_toolbar
from bnlab.ui.runs.unreadable import render_unreadable
from bnlab.ui.state import PageState, page_state


def render_page() -> None:
    """Draw the page; what moves of the active runs is the event stream's (`bnlab.live.runs`)."""
    scheduler, state = services.scheduler(), page_state()
    query = runs_query()  # before the heading, whose Share button shows the address
    render_heading("Runs", state)
    if hides_page(scheduler.store, state):
        return
    runs, problem = scheduler.store.runs(), scheduler.problem
    render_unreadable(scheduler.store.unreadable_runs(), state.lesson)
    _render_body(scheduler, state, runs, query)
    follow("runs", {}, runs_versions(runs, problem), STATES_VERSION if query.shows_states else DEFAULT_VERSION)


def _render_body(scheduler: Scheduler, state: PageState, runs: Sequence[Run], query: RunsQuery) -> None:
    if not runs:
        st.info("No runs yet. Choose networks on the Compare page and press Train.")
        st.page_link(page_path("compare"), label="Go to Compare", icon=":material/arrow_forward:")
        return
    if active := [run for run in runs if not run.state.is_finished()]:
        _render_active(active)
    render_toolbar(query, runs)
    if matching := _search(matching_runs(runs, query.filters), query.search):
        chosen = render_table(scheduler.store, matching, query)
        render_errors(chosen)
        render_actions(state, chosen, {tag for run in runs for tag in run.tags})
        render_export(chosen)
    else:
        render_nothing_found()
    render_disk_use(scheduler, state.lesson)
    if not state.lesson.is_active():
        render_teacher()


def _render_active(runs: Sequence[Run]) -> None:
    """The runs that wait or train, from the stream."""
    with st.container(key="runs-active", gap="xsmall"):
        live_text("summary", summary_text(runs, len(runs)), key="runs-summary")
        columns = [
            TableColumn("label", "Name", numeric=False),
            TableColumn("share", "Trained"),
            TableColumn("state", "State", numeric=False),
        ]
        live_table("active", columns, min(len(runs), MAX_LISTED), key="runs-active-table")


def _search(runs: Sequence[Run], text: str) -> list[Run]:
    """The runs in whose row or spec all words of `text` are found, whatever their case."""
    words = text.casefold().split()
    if not words:
        return list(runs)
    texts = map(_searchable_text, runs)
    return [run for run, searched in zip(runs, texts, strict=True) if all(word in searched for word in words)]


def _searchable_text(run: Run) -> str:
    """The run's row in the table, and the values of its spec with the titles of choices."""
    created = f"{in_readers_zone(run.created_at):%Y-%m-%d %H:%M}"
    values = run.spec.model_dump()
    titles = [registry[values[name]].title for name, registry in REGISTRIES.items()]
    row = (run.label, state_title(run), created, run.digest, *run.tags, run.note)
    return " ".join(map(str, (*row, *titles, *values.values()))).casefold()
