"""The table of runs, whose rows can be chosen; a choice stays with its runs while rows come, go and move."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from bnlab.runs.run import Run, RunState
from bnlab.runs.runs_table import runs_frame
from bnlab.runs.store import Store
from bnlab.ui.compare.results import PERCENT

TABLE = "runs-table"
LISTED = "runs-listed"
"""The digests of the rows as they were last drawn, which is what the browser's choice of rows is about."""
CHOSEN = "runs-chosen"
"""The digests of the chosen runs, also of those that a search hides for now."""
WORDS = {
    RunState.QUEUED: "Waiting",
    RunState.RUNNING: "Training",
    RunState.COMPLETED: "Complete",
    RunState.STOPPED: "Stopped",
    RunState.FAILED: "Failed",
    RunState.DIVERGED: "Diverged",
}
RECORDED = "RECORDED"
"""Stands for the state of runs that came with bnlab."""
TITLES: dict[str, str] = {str(state): title for state, title in WORDS.items()} | {RECORDED: "Recorded"}
_column = st.column_config
_COLUMNS = {
    "label": _column.TextColumn("Name", width="medium"),
    "placement": _column.TextColumn("BN"),
    "state": _column.TextColumn("State"),
    "progress": _column.ProgressColumn("Progress", format="%d %%", min_value=0, max_value=100),
    "val_accuracy": _column.NumberColumn("Validation accuracy", format=PERCENT),
    "seconds": _column.NumberColumn("Seconds", format="%.1f", help="Time in training steps"),
    "epochs": _column.NumberColumn("Epochs"),
    "seed": _column.NumberColumn("Seed", format="%d"),
    "made": _column.DatetimeColumn("Made", format="YYYY-MM-DD HH:mm"),
    "digest": _column.TextColumn("Digest", help="Names the spec: equal specs, equal digests"),
}


def shown_state(run: Run) -> str:
    """The id of the state that the table shows, one of TITLES."""
    return RECORDED if run.recorded else run.state


def state_title(run: Run) -> str:
    """The run's state as the table says it."""
    return TITLES[shown_state(run)]


def render_table(store: Store, runs: Sequence[Run]) -> list[Run]:
    """Draw the table and return the runs whose rows are chosen, in the table's order."""
    frame = runs_frame(store, runs)
    digests = frame["digest"].tolist()
    _keep_choice(digests)
    event = st.dataframe(
        _in_text(frame),
        hide_index=True,
        placeholder="–",
        on_select="rerun",
        selection_mode="multi-row",
        key=TABLE,
        height=min(38 * (len(frame) + 1) + 2, 480),
        column_config=_COLUMNS,
        alt=f"{len(frame)} run{'s' if len(frame) != 1 else ''}",
    )
    by_digest = {run.digest: run for run in runs}
    return [by_digest[digests[row]] for row in sorted(event.selection.rows) if row < len(digests)]


def _keep_choice(digests: list[str]) -> None:
    """The table knows its choice by the places of the rows: where these are others than before, it is told anew."""
    state = st.session_state
    listed = state.get(LISTED, [])
    if TABLE in state:
        rows = [listed[row] for row in state[TABLE]["selection"]["rows"] if row < len(listed)]
        state[CHOSEN] = {*state.get(CHOSEN, ()), *rows} - (set(listed) - set(rows))
    if TABLE not in state or listed != digests:
        places = [place for place, digest in enumerate(digests) if digest in state.get(CHOSEN, ())]
        state[TABLE] = {"selection": {"rows": places, "columns": [], "cells": []}}
    state[LISTED] = digests


def _in_text(frame: pd.DataFrame) -> pd.DataFrame:
    state = frame["state"].map({str(state): word for state, word in WORDS.items()})
    shown = frame.assign(
        state=state.where(~frame["recorded"], TITLES[RECORDED]),
        val_accuracy=frame["val_accuracy"] * 100,
        progress=frame["progress"] * 100,
    )
    return shown[
        ["label", "state", "val_accuracy", "seed", "placement", "progress", "seconds", "epochs", "made", "digest"]
    ]
