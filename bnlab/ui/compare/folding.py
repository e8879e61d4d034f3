"""Folding of a finished run's normalization layers; a worker folds the network and measures it before and after."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from bnlab.charts.formatting import escape_markdown, format_power, format_size
from bnlab.model.folding import kept_layers, unfoldable_reason
from bnlab.runs.folding import FoldReport, can_fold, fold_run, has_normalization, parameters_frame
from bnlab.runs.run import Run, are_active
from bnlab.ui import services
from bnlab.ui.components import PERCENT
from bnlab.ui.downloads import render_download
from bnlab.ui.store_errors import callback
from bnlab.ui.worker_task import current_task, render_task, submit_task

EXPANDER = "fold"
"""The key of what all of it is in."""
TASK = "fold-task"
CHOSEN = "fold-run"
"""Session key of the digest of the chosen run."""
MAX_ROUNDING = 1e-4
"""Largest relative difference explained by rounding; that of a sum of hundreds of float32 products is hardly larger."""
WAITING = "A worker folds the network and measures both; this takes some seconds."
SHARED = "The times were measured while runs were being trained, and may be too long: try again when none is."
DESCRIPTION = (
    "Once a network is trained, a batch-normalization layer only multiplies and adds constants: "
    "γ/√(moving variance + ε) times x, plus a shift. "
    "The Dense layer or convolution beside it can do that too, with other weights: the same predictions, fewer layers."
)


def is_fold_open() -> bool:
    """Whether the reader sees which runs can be folded."""
    return bool(st.session_state.get(EXPANDER))


def render_fold(runs: Mapping[str, Sequence[Run]]) -> None:
    """Draw the choice of a run, the button that folds it, and the report; `runs` are by the variant's label."""
    with st.expander(
        "Merge BN into neighboring layers", icon=":material/layers_clear:", key=EXPANDER, on_change="rerun"
    ):
        st.caption(DESCRIPTION)
        foldable = {
            run.digest: (run, f"{label}, seed {run.spec.seed}" if len(variant_runs) > 1 else label)
            for label, variant_runs in runs.items()
            for run in variant_runs
            if can_fold(run)
        }
        if not foldable:
            st.info(_why_none([run for variant_runs in runs.values() for run in variant_runs]))
            return
        chosen = st.selectbox("Network", list(foldable), format_func=lambda digest: foldable[digest][1], key=CHOSEN)
        run, _ = foldable[chosen]
        for sentence in kept_layers(run.spec).values():
            st.caption(f":material/layers: {escape_markdown(sentence)}")
        subject = _subject(run)
        task = current_task(TASK, subject)
        if task is None:
            st.button("Fold and measure", on_click=_start_folding, key="fold-start")
        else:
            render_task(TASK, task, WAITING, lambda report: _render_report(report, run.digest))


def _subject(run: Run) -> tuple[str, int]:
    return run.digest, run.step  # the weights change when a run is continued


@callback
def _start_folding() -> None:
    scheduler = services.scheduler()
    chosen = st.session_state.get(CHOSEN)
    for run in scheduler.store.runs([chosen] if chosen else []):  # none if it was deleted meanwhile
        submit_task(TASK, _subject(run), scheduler, fold_run, scheduler.store.url, run.digest)


def _why_none(runs: Sequence[Run]) -> str:
    """The reason why none of `runs` can be folded."""
    normalized = [run for run in runs if has_normalization(run.spec)]
    if not normalized:
        return "None of these networks has normalization that could be merged."
    foldable = [run for run in normalized if not unfoldable_reason(run.spec)]
    if not foldable:
        return escape_markdown(" ".join(sorted({unfoldable_reason(run.spec) for run in normalized})))
    if are_active(foldable):
        return "A network can be folded when its training is over."
    return "The recorded networks came without their weights: press Train to train them here, then fold them."


def _render_report(report: FoldReport, digest: str) -> None:
    st.markdown(difference_text(report))
    number = st.column_config.NumberColumn
    milliseconds = {
        name: number(title, format="%.3f", help="Median on one thread, the two networks taking turns")
        for name, title in (("latency_1", "Prediction of 1 (ms)"), ("latency_256", "Prediction of 256 (ms)"))
    }
    st.dataframe(
        measured_frame(report),
        hide_index=True,
        column_config={
            "network": "Network",
            "layers": number("Layers", help="Without the input's Flatten"),
            "params": number("Parameters", format="localized"),
            "val_accuracy": number("Validation accuracy", format=PERCENT),
            **milliseconds,
        },
        key="fold-measured",
    )
    if report.shared:
        st.caption(SHARED)
    columns = {"layer": "Layer", "kind": "Kind"}
    counts = {"before": number("Parameters", format="localized"), "after": number("Folded", format="localized")}
    st.dataframe(
        parameters_frame(report),
        hide_index=True,
        placeholder="–",
        column_config={**columns, **counts},
        key="fold-ledger",
    )
    render_download(
        f"Download the folded network ({format_size(len(report.model))})",
        report.model,
        f"folded-{digest}.keras",
        key="fold-download",
    )


def measured_frame(report: FoldReport) -> pd.DataFrame:
    """Two rows, as trained and folded. Columns: network, layers, params, val_accuracy (%), latency_1 and _256 (ms)."""
    rows = [
        {
            "network": name,
            "layers": len(measured.network.layers) - 1,
            "params": measured.network.params,
            "val_accuracy": measured.val_accuracy * 100,
            **{f"latency_{size}": seconds * 1e3 for size, seconds in measured.latencies.items()},
        }
        for name, measured in (("As trained", report.original), ("Folded", report.folded))
    ]
    return pd.DataFrame(rows)


def difference_text(report: FoldReport) -> str:
    """The largest difference between the two networks' outputs, and whether rounding explains it."""
    is_rounding = report.relative <= MAX_ROUNDING
    reason = "as rounding to 32-bit numbers leaves them" if is_rounding else "more than rounding explains"
    return (
        f"Over {report.examples:,} validation images no logit (what enters the softmax) differs by more than "
        f"**{format_power(report.difference)}**, which is {format_power(report.relative)} of the largest logit: "
        f"{reason}."
    )
