"""The Runs page: every run ever made here, to be filtered, opened, renamed, exported and deleted."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from bnlab.runs.lab import Lab
from bnlab.runs.overview import runs_frame
from bnlab.runs.run import Run, are_active
from bnlab.runs.states import RunState
from bnlab.ui import services
from bnlab.ui.disk import render_disk
from bnlab.ui.exporting import render_export
from bnlab.ui.heading import render_heading
from bnlab.ui.results import PERCENT
from bnlab.ui.run_actions import render_actions
from bnlab.ui.session import Desk, desk
from bnlab.ui.words import plain

TICK_SECONDS = 1.0
WORDS = {
    RunState.QUEUED: "Waiting",
    RunState.RUNNING: "Training",
    RunState.COMPLETED: "Complete",
    RunState.STOPPED: "Stopped",
    RunState.FAILED: "Failed",
    RunState.DIVERGED: "Diverged",
}
RECORDED = "Recorded"
"""The state of runs that came with bnlab."""


def render_runs() -> None:
    """Draw the page; it is drawn anew once a second while a run is active."""
    lab = services.lab()
    own = desk()
    render_heading("Runs", own)
    active = are_active(lab.store.runs())
    st.fragment(run_every=TICK_SECONDS if active else None)(_render_body)(lab, own, active)


def _render_body(lab: Lab, own: Desk, watching: bool) -> None:
    runs = lab.store.runs()
    if not runs:
        st.info("No runs yet. Choose networks on the Compare page and press Train.")
        st.page_link("pages/compare.py", label="Go to Compare", icon=":material/arrow_forward:")
        return
    chosen = _render_table(lab, _render_filter(runs))
    render_errors(chosen)
    render_actions(lab, own, chosen)
    render_export(lab, chosen)
    render_disk(lab)
    if watching != are_active(runs):
        st.rerun()


def _render_filter(runs: Sequence[Run]) -> list[Run]:
    words, states = st.columns([2, 3])
    text = words.text_input("Search", placeholder="name, placement, optimizer …", key="runs-search").casefold().split()
    of_run = {run.digest: _state(run) for run in runs}
    there = [word for word in (*WORDS.values(), RECORDED) if word in of_run.values()]
    wanted = states.pills(
        "State", there, selection_mode="multi", key="runs-states", wrap=True, help="None chosen shows all of them."
    )
    return [
        run
        for run in runs
        if (not wanted or of_run[run.digest] in wanted) and all(word in _searched(run) for word in text)
    ]


def _state(run: Run) -> str:
    return RECORDED if run.recorded else WORDS[run.state]


def _searched(run: Run) -> str:
    return f"{run.label} {run.digest} {' '.join(map(str, run.spec.model_dump().values()))}".casefold()


def _render_table(lab: Lab, runs: Sequence[Run]) -> list[Run]:
    """Draw the table and return the runs whose rows are chosen, in the table's order."""
    if not runs:
        st.info("No run is like that.")
        return []
    frame = runs_frame(lab.store, runs)
    column = st.column_config
    event = st.dataframe(
        _in_words(frame),
        hide_index=True,
        placeholder="–",
        on_select="rerun",
        selection_mode="multi-row",
        # Another set of rows is another table, or a choice would pass from one run to the next.
        key=f"runs-{hash(tuple(frame['digest']))}",
        height=min(38 * (len(frame) + 1) + 2, 480),
        column_config={
            "label": column.TextColumn("Name", width="medium"),
            "placement": column.TextColumn("BN"),
            "state": column.TextColumn("State"),
            "progress": column.ProgressColumn("Progress", format="%d %%", min_value=0, max_value=100),
            "val_accuracy": column.NumberColumn("Validation accuracy", format=PERCENT),
            "seconds": column.NumberColumn("Seconds", format="%.1f", help="Time in training steps"),
            "epochs": column.NumberColumn("Epochs"),
            "seed": column.NumberColumn("Seed", format="%d"),
            "made": column.DatetimeColumn("Made", format="YYYY-MM-DD HH:mm"),
            "digest": column.TextColumn("Digest", help="Names the spec: equal specs, equal digests"),
        },
        alt=f"{len(frame)} run{'s' if len(frame) != 1 else ''}",
    )
    by_digest = {run.digest: run for run in runs}
    return [by_digest[frame["digest"].iloc[row]] for row in event.selection.rows if row < len(frame)]


def render_errors(chosen: Sequence[Run]) -> None:
    """Say why those of the chosen runs that failed did."""
    for run in chosen:
        if run.error:
            st.error(f"{plain(run.label)}: {plain(run.error)}", icon=":material/error:")


def _in_words(frame: pd.DataFrame) -> pd.DataFrame:
    state = frame["state"].map({str(state): word for state, word in WORDS.items()})
    shown = frame.assign(
        state=state.where(~frame["recorded"], RECORDED),
        val_accuracy=frame["val_accuracy"] * 100,
        progress=frame["progress"] * 100,
    )
    return shown[
        ["label", "state", "val_accuracy", "seed", "placement", "progress", "seconds", "epochs", "made", "digest"]
    ]
