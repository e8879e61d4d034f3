"""The table of runs with selectable rows; the selection follows its runs when rows are added, removed or moved."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st

from bnlab.runs.run import ACTIVE, Run
from bnlab.runs.run_table import (
    FIELDS,
    RECORDED,
    STATES,
    field_column,
    groups_frame,
    is_numeric,
    sort_by_group,
    varying_fields,
)
from bnlab.runs.store import Store
from bnlab.runs.summary import SHARED_TEXTS, runs_frame
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.components import PERCENT
from bnlab.ui.runs.query import OPTIONAL_COLUMNS, RunsQuery

TABLE = "runs-table"
LISTED = "runs-listed"
"""Session key of the digests of the rows last drawn, to which the browser's selection refers."""
CHOSEN = "runs-chosen"
"""Session key of the digests of the selected runs, including those hidden by a search."""
IN_PROGRESS = "In progress"
"""The state of runs that wait or train; which of both is above the table, from the event stream."""
MAX_HEIGHT, ROW_HEIGHT = 480, 37
CHARACTER_WIDTH, CELL_PADDING, MAX_TEXT_WIDTH = 7, 24, 240

_column = st.column_config
_NAME_COLUMN = {"label": _column.TextColumn("Name", width="medium")}
_RESULT_COLUMNS = {
    "state": _column.TextColumn("State", width=104),
    "progress": _column.ProgressColumn("Progress", format="%d %%", min_value=0, max_value=100, width="small"),
    "val_accuracy": _column.NumberColumn("Validation accuracy", format=PERCENT, help="At the last evaluation"),
}
_WRITTEN_COLUMNS = {
    "tags": _column.ListColumn("Tags"),
    "note": _column.TextColumn("Note", width="medium"),
}
_TIMING_COLUMNS = {
    "seconds": _column.NumberColumn("Seconds", format="%.1f", help="Time in training steps"),
    "images_per_second": _column.NumberColumn("Images per second", format="%.0f", help="Training images, on average"),
    "shared": _column.TextColumn(
        "Seconds measured", help="Whether bnlab did other work on the machine at the same time"
    ),
}
_GROUP_COLUMNS = {
    "runs": _column.NumberColumn("Runs", format="%d"),
    "completed": _column.NumberColumn("Completed", format="%d", help="How many of them were trained to their end"),
    "val_accuracy": _column.NumberColumn(
        "Final validation accuracy", format=PERCENT, help="The mean over the completed runs"
    ),
    "val_accuracy_sd": _column.NumberColumn(
        "± SD", format="%.2f", help="The standard deviation over the completed runs, in percentage points"
    ),
}


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
    return _column.DatetimeColumn("Created", format="YYYY-MM-DD HH:mm", help=f"Time zone: {readers_zone()}")


def render_table(store: Store, runs: Sequence[Run], query: RunsQuery) -> list[Run]:
    """Draw the table, above it the groups' results if there are groups; returns the selected runs, in its order."""
    listed = sorted(runs, key=lambda run: (run.created_at, run.digest), reverse=True)
    listed = sort_by_group(listed, query.group) if query.group else listed
    frame = runs_frame(store, listed)
    digests = frame["digest"].tolist()
    if query.group:
        _render_groups(listed, dict(zip(digests, frame["val_accuracy"], strict=True)), query.group)
    _update_selection(digests)
    columns = _columns(listed, query)
    spec_fields = [name for name in columns if name in RunSpec.model_fields]
    displayed = _display_frame(frame).assign(**{name: field_column(listed, name) for name in spec_fields})
    hidden = [name for name in ("made", "digest") if name not in columns]
    event = st.dataframe(
        displayed[[*columns, *hidden]],
        hide_index=True,
        placeholder="–",
        on_select=_note_selection,
        selection_mode="multi-row",
        key=TABLE,
        height=min(ROW_HEIGHT * (len(frame) + 1) + 2, MAX_HEIGHT),
        column_config=columns | dict.fromkeys(hidden),
        alt=_count_text(len(frame), "run"),
    )
    runs_by_digest = {run.digest: run for run in runs}
    return [runs_by_digest[digests[row]] for row in sorted(event.selection.rows) if row < len(digests)]


def _columns(runs: Sequence[Run], query: RunsQuery) -> dict[str, Any]:
    """The configurations of the columns shown, in their order: the group's setting is the second."""
    wanted = {query.group, *varying_fields(runs), *query.columns}
    spec_fields = [name for name in RunSpec.model_fields if name in wanted]
    written = {name for name in _WRITTEN_COLUMNS if any(getattr(run, name) for run in runs)}
    settings = {name: _field_column_config(name, runs) for name in spec_fields}
    group = {name: settings.pop(name) for name in spec_fields if name == query.group}
    columns = _NAME_COLUMN | group | _RESULT_COLUMNS
    columns |= {name: config for name, config in _WRITTEN_COLUMNS.items() if name in written} | settings
    if query.timing:
        columns |= _TIMING_COLUMNS
    if "made" in query.columns:
        columns["made"] = made_column()
    if "digest" in query.columns:
        help_ = "Names the spec: equal specs, equal digests"
        columns["digest"] = _column.TextColumn(OPTIONAL_COLUMNS["digest"], help=help_)
    return columns


def _field_column_config(name: str, runs: Sequence[Run]) -> Any:
    title, help_ = FIELDS[name].title, RunSpec.model_fields[name].description
    if is_numeric(name):
        return _column.NumberColumn(title, format="%g", help=help_)
    # Streamlit fits a column to its first rows only, and cuts longer texts below them.
    longest = max(map(len, [title, *map(str, field_column(runs, name))]))
    width = min(CHARACTER_WIDTH * longest + CELL_PADDING, MAX_TEXT_WIDTH)
    return _column.TextColumn(title, help=help_, width=width)


def _render_groups(runs: Sequence[Run], accuracies: dict[str, float], name: str) -> None:
    frame = groups_frame(runs, accuracies, name)
    in_percent = {column: frame[column] * 100 for column in ("val_accuracy", "val_accuracy_sd")}
    st.dataframe(
        frame.assign(**in_percent),
        hide_index=True,
        placeholder="–",
        key="runs-groups",
        height=min(ROW_HEIGHT * (len(frame) + 1) + 2, MAX_HEIGHT),
        column_config={"group": _column.TextColumn(FIELDS[name].title)} | _GROUP_COLUMNS,
        alt=_count_text(len(frame), "group"),
    )


def _count_text(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def selected_digests() -> list[str]:
    """The digests of the runs whose rows are selected, for callbacks: also those that the page has not drawn yet."""
    listed = st.session_state.get(LISTED, [])
    rows = st.session_state[TABLE]["selection"]["rows"] if TABLE in st.session_state else ()
    return [listed[row] for row in sorted(rows) if row < len(listed)]


def chosen_digests() -> list[str]:
    """The digests of the selected runs of the table, in its order, also after the page was left."""
    return [digest for digest in st.session_state.get(LISTED, ()) if digest in st.session_state.get(CHOSEN, ())]


def _note_selection() -> None:
    """Keep the selection when it changes. The widget's own value is lost as soon as the page is left."""
    session = st.session_state
    if TABLE in session:
        selected = selected_digests()
        session[CHOSEN] = {*session.get(CHOSEN, ()), *selected} - (set(session.get(LISTED, ())) - set(selected))


def _update_selection(digests: list[str]) -> None:
    """Select the rows of the chosen runs. The browser keeps row numbers, which change with the rows."""
    session = st.session_state
    listed = session.get(LISTED, [])
    _note_selection()
    if TABLE not in session or listed != digests:
        rows = [row for row, digest in enumerate(digests) if digest in session.get(CHOSEN, ())]
        session[TABLE] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    session[LISTED] = digests


def _display_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with states as titles, fractions in percent, and times in the reader's zone.

    What changes while a run is active is left out of its row, since the table stays as it was drawn.
    """
    is_moving = frame["state"].isin([str(state) for state in ACTIVE])
    moving = ("val_accuracy", "progress", "seconds", "images_per_second")
    frame = frame.assign(**{name: frame[name].mask(is_moving) for name in moving})
    return frame.assign(
        state=frame["state"].where(~frame["recorded"], RECORDED).map(STATES).mask(is_moving, IN_PROGRESS),
        val_accuracy=frame["val_accuracy"] * 100,
        progress=frame["progress"] * 100,
        shared=[SHARED_TEXTS[shared] for shared in frame["shared"]],
        made=frame["made"].dt.tz_convert(readers_zone()),
    )
