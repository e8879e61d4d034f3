"""The Runs page: all runs of the store, to search, open, rename, export and delete."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from bnlab.charts.formatting import format_size
from bnlab.live.reading import DEFAULT_VERSION, STATES_VERSION
from bnlab.live.runs import MAX_LISTED, runs_versions
from bnlab.runs.progress import summary_text
from bnlab.runs.run import Run, UnreadableRun
from bnlab.runs.run_table import matching_runs, state_title
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.storage import completed_checkpoints, delete_checkpoints, storage_use
from bnlab.specs.diff import REGISTRIES
from bnlab.specs.lesson import Lesson
from bnlab.ui import services
from bnlab.ui.components import render_errors, render_heading
from bnlab.ui.lesson import render_if_hidden
from bnlab.ui.live import TableColumn, follow, live_table, live_text
from bnlab.ui.navigation import page_path
from bnlab.ui.runs.actions import render_actions
from bnlab.ui.runs.export import render_export
from bnlab.ui.runs.query import RunsQuery, runs_query
from bnlab.ui.runs.table import in_readers_zone, made_column, render_table
from bnlab.ui.runs.toolbar import render_nothing_found, render_toolbar
from bnlab.ui.state import PageState, page_state
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import KEY_FIELD, changeable, enter_key, has_teacher, is_teacher

UNREADABLE_COLUMNS = {"label": "Name", "state": "State", "made": "Created", "digest": "Digest"}
RECORDS = {
    "steps": "every step's loss and accuracy",
    "snapshots": "batch-normalization layers over training",
    "layers": "gradients and pre-activations",
    "checkpoints": "weights, to continue a run or export its model",
}
"""The kinds of record that take disk space."""


def render_page() -> None:
    """Draw the page; what moves of the active runs is the event stream's (`bnlab.live.runs`)."""
    scheduler, state = services.scheduler(), page_state()
    query = runs_query()  # before the heading, whose Share button shows the address
    render_heading("Runs", state)
    if render_if_hidden(scheduler.store, state):
        return
    runs, problem = scheduler.store.runs(), scheduler.problem
    _render_unreadable(scheduler.store.unreadable_runs(), state.lesson)
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
    _render_disk_use(scheduler, state.lesson)
    if not state.lesson.is_active():
        _render_teacher()


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


def _render_unreadable(unreadable: Sequence[UnreadableRun], lesson: Lesson) -> None:
    """The runs that another version wrote, and without a lesson the button that deletes them; nothing if none are."""
    if not unreadable:
        return
    is_one = len(unreadable) == 1
    runs = "1 run is" if is_one else f"{len(unreadable)} runs are"
    st.warning(
        f"{runs} not readable by this version of bnlab: {'it was' if is_one else 'they were'} written by another one.",
        icon=":material/question_mark:",
    )
    frame = pd.DataFrame(
        [(run.label, run.state, in_readers_zone(run.created_at), run.digest) for run in unreadable],
        columns=list(UNREADABLE_COLUMNS),
    )
    st.dataframe(frame, hide_index=True, column_config=UNREADABLE_COLUMNS | {"made": made_column()}, key="unreadable")
    if lesson.is_active() or (has_teacher() and not is_teacher()):
        return
    with st.popover(f"Delete {'it' if is_one else 'them'}", icon=":material/delete:", key="unreadable-menu"):
        st.markdown("Delete what this version cannot read, with all curves and layers? This cannot be undone.")
        digests = [run.digest for run in unreadable]
        st.button(
            "Delete permanently", type="primary", on_click=_delete_unreadable, args=(digests,), key="unreadable-delete"
        )


@callback
def _delete_unreadable(digests: Sequence[str]) -> None:
    store = services.scheduler().store
    store.request_stop(digests)  # one that waits or trains is deleted too, unless its own version holds it
    store.delete(digests)


def _render_disk_use(scheduler: Scheduler, lesson: Lesson) -> None:
    """Draw the size of each kind of record, and without a lesson the button that deletes checkpoints."""
    with st.expander("Disk use", icon=":material/hard_drive:", key="disk-use", on_change="rerun") as expander:
        if not expander.open:
            return
        sizes = storage_use(scheduler.store)
        lines = [f"**{format_size(sizes[kind])}** {description}" for kind, description in RECORDS.items()]
        st.markdown("  \n".join(lines))
        if lesson.is_active():
            return
        digests = changeable(completed_checkpoints(scheduler.store))
        runs = f"{len(digests)} completed run{'s' if len(digests) > 1 else ''}"
        st.button(
            f"Delete saved weights of {runs}" if digests else "No saved weights of completed runs",
            icon=":material/cleaning_services:",
            disabled=not digests,
            help="Curves and layers stay; the runs' models can no longer be exported or folded.",
            on_click=_delete_checkpoints,
            args=(digests,),
            key="delete-checkpoints",
        )


@callback
def _delete_checkpoints(digests: Sequence[str]) -> None:
    delete_checkpoints(services.scheduler().store, changeable(digests))


def _render_teacher() -> None:
    """The field for the teacher's key, or that it was entered, in a deployment that has one."""
    if not has_teacher():
        return
    with st.expander("For teachers", icon=":material/key:", key="for-teachers"):
        if is_teacher():
            st.markdown("You may stop, rename, tag and delete everybody’s runs until this page is closed or reloaded.")
            return
        st.text_input(
            "Teacher’s key",
            type="password",
            help="With it you may stop, rename, tag and delete everybody’s runs.",
            on_change=enter_key,
            key=KEY_FIELD,
        )
        if st.session_state.get(KEY_FIELD):
            st.error("That is not the key.", icon=":material/key_off:")
