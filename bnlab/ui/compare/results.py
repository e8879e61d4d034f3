"""The results of a comparison as a table, one row per variant."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.charts.series import CurveSettings
from bnlab.runs.latencies import last_measured
from bnlab.runs.reader import last_evaluated_steps
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.runs.summary import SHARED_TEXTS, results_frame
from bnlab.training.records import LATENCY_BATCHES
from bnlab.ui.components import PERCENT, POINTS

LATENCIES = {f"latency_{size}": f"Prediction of {size} (ms)" for size in LATENCY_BATCHES}
PERCENTAGES = ("val_accuracy", "val_accuracy_sd", "difference", "difference_sd")
LOSSES = ("val_loss", "val_loss_sd")
MAX_LOSS = 1e6
"""Larger losses, of runs that diverged, are wider than their column."""
NAME_WIDTH, PROJECTED_NAME_WIDTH = 200, 260
"""Pixels. The column is pinned; a phone has room for others beside it."""
SD_WIDTH, PROJECTED_SD_WIDTH = 90, 115
"""Pixels. Standard deviations are wider than their heading, and often arrive after the table was laid out."""

MeasuredRuns = tuple[tuple[str, tuple[tuple[str, int, RunState, bool | None], ...]], ...]
"""Cache key of a table: for each label, the digest, last evaluated step, state and `shared` of its runs."""


def render_results(store: Store, runs: Mapping[str, Sequence[Run]], settings: CurveSettings) -> None:
    """Draw one row for each variant; `runs` are by label, and `settings` name the baseline."""
    measured = _measured_runs(store, runs)
    measured_at = last_measured(store)
    frame = _frame(store, measured, settings.baseline, measured_at)
    st.dataframe(
        _rounded_frame(store, measured, settings.baseline, measured_at)[_columns(runs, settings.baseline)],
        hide_index=True,
        placeholder="–",
        column_config=_column_config(settings),
    )
    st.download_button(
        "CSV",
        lambda: frame.to_csv(index=False),  # on click: a file made at each tick would be gone before it is fetched
        "bnlab-results.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="results_csv",
    )


def _column_config(settings: CurveSettings) -> dict[str, Any]:
    """The title, format and help of each column."""
    number = st.column_config.NumberColumn
    difference = f"Validation accuracy minus {escape_markdown(settings.baseline)}’s, seed by seed, in percentage points"
    epoch = "The training steps of the fastest epoch, mean over seeds. –: no seed has trained a whole epoch"
    reached = "At the pace of the fastest epoch. –: not reached by every seed"
    shared = (
        "Whether bnlab did other work on the machine at the same time, so that the network may take fewer seconds "
        "alone. Not known of recorded runs and those of earlier versions"
    )
    latency = (
        "The median of several, on one thread of this machine, by turns with the other networks. Measured when no run "
        "trains; –: not yet"
    )
    widths = (PROJECTED_NAME_WIDTH, PROJECTED_SD_WIDTH) if settings.projector else (NAME_WIDTH, SD_WIDTH)
    name_width, sd_width = widths
    return {
        "label": st.column_config.TextColumn("Network", width=name_width, pinned=True),
        "params": number("Parameters", format="localized"),
        "trainable": number("Trainable", format="localized"),
        "runs": number("Seeds measured", help="How many the means are over: those that diverged are left out"),
        "diverged": number("Diverged", help="How many seeds: their loss is no longer a number, so they have no result"),
        "diverged_step": number("Diverged at step", format="localized", help="The first seed that did"),
        "val_loss": number("Validation loss", format="%.4f", help="–: not a number, or larger than a million"),
        "val_loss_sd": number("± sd", format="%.4f", width=sd_width),
        "val_accuracy": number("Validation accuracy", format=PERCENT),
        "val_accuracy_sd": number("± sd ", format=PERCENT, width=sd_width),
        "difference": number("Difference (points)", format=POINTS, help=difference),
        "difference_sd": number("± sd  ", format="%.2f", width=sd_width),
        "seconds_per_epoch": number("Seconds an epoch", format="%.2f", help=epoch),
        "seconds_to_95": number("Seconds to 95 %", format="%.1f", help=reached),
        "seconds_to_97": number("Seconds to 97 %", format="%.1f", help=reached),
        "shared": st.column_config.TextColumn("Seconds measured", help=shared),
        **{name: number(title, format="%.3f", help=latency) for name, title in LATENCIES.items()},
    }


def _columns(runs: Mapping[str, Sequence[Run]], baseline: str) -> list[str]:
    """The columns shown: of divergences, deviations and differences only where there can be any."""
    several = any(len(variant_runs) > 1 for variant_runs in runs.values())
    columns = ["label", "params", "trainable"]
    if any(run.state is RunState.DIVERGED for variant_runs in runs.values() for run in variant_runs):
        columns += ["diverged", "diverged_step"]
    columns += ["runs", "val_loss", "val_loss_sd"] if several else ["val_loss"]
    columns += ["val_accuracy", "val_accuracy_sd"] if several else ["val_accuracy"]
    if baseline:
        columns += ["difference", "difference_sd"] if several else ["difference"]
    return [*columns, "seconds_per_epoch", "seconds_to_95", "seconds_to_97", "shared", *LATENCIES]


def _measured_runs(store: Store, runs: Mapping[str, Sequence[Run]]) -> MeasuredRuns:
    digests = [run.digest for variant_runs in runs.values() for run in variant_runs]
    steps = last_evaluated_steps(store, digests)
    return tuple(
        (label, tuple((run.digest, steps[run.digest], run.state, run.shared) for run in variant_runs))
        for label, variant_runs in runs.items()
    )


@lru_cache(maxsize=32)
def _frame(store: Store, measured: MeasuredRuns, baseline: str, _measured_at: float) -> pd.DataFrame:
    """The table, with latencies in milliseconds. Cached for all sessions until there are new evaluations or latencies.

    `_measured_at` is the time of the last latencies.
    """
    runs = {label: [store.run(digest) for digest, *_ in variant_runs] for label, variant_runs in measured}
    frame = results_frame(store, runs, baseline or None)
    return frame.assign(**{name: frame[name] * 1e3 for name in LATENCIES})


@lru_cache(maxsize=32)
def _rounded_frame(store: Store, measured: MeasuredRuns, baseline: str, measured_at: float) -> pd.DataFrame:
    frame = _frame(store, measured, baseline, measured_at)
    return round_for_display(frame.assign(shared=[SHARED_TEXTS[shared] for shared in frame["shared"]]))


def round_for_display(frame: pd.DataFrame) -> pd.DataFrame:
    """The table as it is displayed, but not exported: percentages are rounded, and losses above `MAX_LOSS` left out.

    Without the rounding browsers display −0.003 as −0.00.
    """
    percentages = {name: (frame[name] * 100).round(2) + 0.0 for name in frame.columns.intersection(list(PERCENTAGES))}
    losses = {
        name: frame[name].where(frame[name].abs() < MAX_LOSS) for name in frame.columns.intersection(list(LOSSES))
    }
    return frame.assign(**percentages, **losses)
