"""The table under the curves."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.charts.series import CurveSettings
from bnlab.runs.reader import last_evaluated_steps
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.runs.summary import results_frame
from bnlab.training.records import LATENCY_BATCHES

LATENCIES = {f"latency_{size}": f"Prediction of {size} (ms)" for size in LATENCY_BATCHES}

PERCENTS = ("val_accuracy", "val_accuracy_sd", "difference", "difference_sd")
NAMES, PROJECTED_NAMES = 200, 260
"""Pixels for the networks' names. They stay in sight when the table is scrolled, if a phone has room beside them."""
SPREAD, PROJECTED_SPREAD = 90, 115
"""Pixels for a deviation, which is longer than its heading and often comes after the table was first laid out."""
LOSSES = ("val_loss", "val_loss_sd")
TOO_LARGE = 1e6
PERCENT, POINTS = (
    "%.2f %%",
    "%+.2f",
)  # of what is times a hundred: Streamlit's own "percent" leaves out zeros at the end

Measured = tuple[tuple[str, tuple[tuple[str, int, RunState], ...]], ...]


def render_results(store: Store, shown: Mapping[str, Sequence[Run]], settings: CurveSettings) -> None:
    """Draw one row a variant; `shown` maps each label to its runs, `settings` names the baseline."""
    measured = _moments_of(store, shown)
    frame = _frame(store, measured, settings.baseline)
    st.dataframe(
        _shown(store, measured, settings.baseline)[_columns(shown, settings.baseline)],
        hide_index=True,
        placeholder="–",
        column_config=_column_config(settings),
    )
    st.download_button(
        "CSV",
        lambda: frame.to_csv(index=False),  # made at the click: a file a tick would be gone before it is fetched
        "bnlab-results.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="results_csv",
    )


def _column_config(settings: CurveSettings) -> dict[str, Any]:
    """How each column is headed, written and explained."""
    number = st.column_config.NumberColumn
    minus = f"Validation accuracy minus {escape_markdown(settings.baseline)}’s, seed by seed, in percentage points"
    epoch = "The training steps of the fastest epoch, mean over seeds. –: no seed has trained a whole epoch"
    reached = "At the pace of the fastest epoch. –: not reached by every seed"
    latency = "The fastest of several, on one thread, when the run was complete: so others that train count little"
    width, spread = (PROJECTED_NAMES, PROJECTED_SPREAD) if settings.projector else (NAMES, SPREAD)
    return {
        "label": st.column_config.TextColumn("Network", width=width, pinned=True),
        "params": number("Parameters", format="localized"),
        "trainable": number("Trainable", format="localized"),
        "runs": number("Seeds measured"),
        "val_loss": number("Validation loss", format="%.4f", help="–: not a number, or larger than a million"),
        "val_loss_sd": number("± sd", format="%.4f", width=spread),
        "val_accuracy": number("Validation accuracy", format=PERCENT),
        "val_accuracy_sd": number("± sd ", format=PERCENT, width=spread),
        "difference": number("Difference (points)", format=POINTS, help=minus),
        "difference_sd": number("± sd  ", format="%.2f", width=spread),
        "seconds_per_epoch": number("Seconds an epoch", format="%.2f", help=epoch),
        "seconds_to_95": number("Seconds to 95 %", format="%.1f", help=reached),
        "seconds_to_97": number("Seconds to 97 %", format="%.1f", help=reached),
        **{name: number(title, format="%.3f", help=latency) for name, title in LATENCIES.items()},
    }


def _columns(shown: Mapping[str, Sequence[Run]], baseline: str) -> list[str]:
    several = any(len(runs) > 1 for runs in shown.values())
    columns = ["label", "params", "trainable"]
    columns += ["runs", "val_loss", "val_loss_sd"] if several else ["val_loss"]
    columns += ["val_accuracy", "val_accuracy_sd"] if several else ["val_accuracy"]
    if baseline:
        columns += ["difference", "difference_sd"] if several else ["difference"]
    return [*columns, "seconds_per_epoch", "seconds_to_95", "seconds_to_97", *LATENCIES]


def _moments_of(store: Store, shown: Mapping[str, Sequence[Run]]) -> Measured:
    lasts = last_evaluated_steps(store, [run.digest for runs in shown.values() for run in runs])
    return tuple(
        (label, tuple((run.digest, lasts[run.digest], run.state) for run in runs)) for label, runs in shown.items()
    )


@lru_cache(maxsize=32)
def _frame(store: Store, measured: Measured, baseline: str) -> pd.DataFrame:
    """The table after those moments, latencies in milliseconds: made once a moment, not once a tick and session."""
    shown = {label: [store.run(digest) for digest, *_ in own] for label, own in measured}
    frame = results_frame(store, shown, baseline or None)
    return frame.assign(**{name: frame[name] * 1e3 for name in LATENCIES})


@lru_cache(maxsize=32)
def _shown(store: Store, measured: Measured, baseline: str) -> pd.DataFrame:
    return _readable(_frame(store, measured, baseline))


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    """As it is shown, which the CSV is not.

    Percents are rounded, or the browser would write −0.003 as −0.00; the losses of runs that flew off are left out,
    for they are wider than their column.
    """
    percents = {name: (table[name] * 100).round(2) + 0.0 for name in table.columns.intersection(list(PERCENTS))}
    losses = {
        name: table[name].where(table[name].abs() < TOO_LARGE) for name in table.columns.intersection(list(LOSSES))
    }
    return table.assign(**percents, **losses)
