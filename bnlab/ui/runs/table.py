"""The table of runs with selectable rows; the selection follows its runs when rows are added, removed or moved."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st

from bnlab.runs.run import ACTIVE, Run, RunState
from bnlab.runs.store import Store
from bnlab.runs.summary import SHARED_TEXTS, runs_frame
from bnlab.ui.components import PERCENT

TABLE = "runs-table"
LISTED = "runs-listed"
"""Session key of the digests of the rows last drawn, to which the browser's selection refers."""
CHOSEN = "runs-chosen"
"""Session key of the digests of the selected runs, including those hidden by a search."""
RECORDED = "RECORDED"
"""Takes the place of the state of runs that are shipped with bnlab."""
TITLES: dict[str, str] = {
    RunState.QUEUED.value: "Waiting",
    RunState.RUNNING.value: "Training",
    RunState.COMPLETED.value: "Complete",
    RunState.STOPPED.value: "Stopped",
    RunState.FAILED.value: "Failed",
    RunState.DIVERGED.value: "Diverged",
    RECORDED: "Recorded",
}
MAX_HEIGHT, ROW_HEIGHT = 480, 38

_column = st.column_config
_COLUMNS = {
    "label": _column.TextColumn("Name", width="medium"),
    "state": _column.TextColumn("State"),
    "val_accuracy": _column.NumberColumn("Validation accuracy", format=PERCENT),
    "seed": _column.NumberColumn("Seed", format="%d"),
    "placement": _column.TextColumn("BN"),
    "progress": _column.ProgressColumn("Progress", format="%d %%", min_value=0, max_value=100),
    "seconds": _column.NumberColumn("Seconds", format="%.1f", help="Time in training steps"),
    "shared": _column.TextColumn(
        "Seconds measured", help="Whether bnlab did other work on the machine at the same time"
    ),
    "epochs": _column.NumberColumn("Epochs"),
    "made": _column.DatetimeColumn("Made", format="YYYY-MM-DD HH:mm"),
    "digest": _column.TextColumn("Digest", help="Names the spec: equal specs, equal digests"),
}
"""In the order in which they are shown."""


def shown_state(run: Run) -> str:
    """The state shown for the run, a key of TITLES."""
    return RECORDED if run.recorded else run.state


def state_title(run: Run) -> str:
    """The title of the run's state in the table."""
    return TITLES[shown_state(run)]


def readers_zone() -> tzinfo:
    """The time zone of the reader's browser; UTC if it does not tell one that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def in_readers_zone(seconds: float) -> datetime:
    """A time, in seconds since the epoch, in the reader's zone."""
    return datetime.fromtimestamp(int(seconds), readers_zone())


def made_column() -> Any:
    """The configuration of a column of times in the reader's zone."""
    return _column.DatetimeColumn("Made", format="YYYY-MM-DD HH:mm", help=f"Time zone: {readers_zone()}")


def render_table(store: Store, runs: Sequence[Run]) -> list[Run]:
    """Draw the table and return the selected runs, in the table's order."""
    frame = runs_frame(store, runs)
    digests = frame["digest"].tolist()
    _update_selection(digests)
    event = st.dataframe(
        _display_frame(frame),
        hide_index=True,
        placeholder="–",
        on_select="rerun",
        selection_mode="multi-row",
        key=TABLE,
        height=min(ROW_HEIGHT * (len(frame) + 1) + 2, MAX_HEIGHT),
        column_config=_COLUMNS | {"made": made_column()},
        alt=f"{len(frame)} run{'s' if len(frame) != 1 else ''}",
    )
    runs_by_digest = {run.digest: run for run in runs}
    return [runs_by_digest[digests[row]] for row in sorted(event.selection.rows) if row < len(digests)]


def selected_digests() -> list[str]:
    """The digests of the runs whose rows are selected, for callbacks: also those that the page has not drawn yet."""
    listed = st.session_state.get(LISTED, [])
    rows = st.session_state[TABLE]["selection"]["rows"] if TABLE in st.session_state else ()
    return [listed[row] for row in sorted(rows) if row < len(listed)]


def _update_selection(digests: list[str]) -> None:
    """Select the rows of the chosen runs. The browser keeps row numbers, which change with the rows."""
    session = st.session_state
    listed = session.get(LISTED, [])
    if TABLE in session:
        selected = selected_digests()
        session[CHOSEN] = {*session.get(CHOSEN, ()), *selected} - (set(listed) - set(selected))
    if TABLE not in session or listed != digests:
        rows = [row for row, digest in enumerate(digests) if digest in session.get(CHOSEN, ())]
        session[TABLE] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    session[LISTED] = digests


def _display_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns shown, with states as titles, fractions in percent, and times in the reader's zone.

    What changes while a run is active is left out of its row, since the table stays as it was drawn.
    """
    is_moving = frame["state"].isin([str(state) for state in ACTIVE])
    frame = frame.assign(**{name: frame[name].mask(is_moving) for name in ("val_accuracy", "progress", "seconds")})
    displayed = frame.assign(
        state=frame["state"].where(~frame["recorded"], RECORDED).map(TITLES),
        val_accuracy=frame["val_accuracy"] * 100,
        progress=frame["progress"] * 100,
        shared=[SHARED_TEXTS[shared] for shared in frame["shared"]],
        made=frame["made"].dt.tz_convert(readers_zone()),
    )
    return displayed[list(_COLUMNS)]
