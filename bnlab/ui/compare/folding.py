"""Batch normalization folded away, for a finished run of the Compare page: a worker does it and measures both."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from bnlab.charts.formatting import format_power, format_size
from bnlab.model.folding import why_not_foldable
from bnlab.runs.folding import FoldReport, can_fold, fold_run, has_normalization, ledger_frame
from bnlab.runs.run import Run, are_active
from bnlab.runs.scheduler import Scheduler
from bnlab.ui.compare.results import PERCENT
from bnlab.ui.worker_task import current_task, render_task, submit_task

KEY = "fold-task"
ROUNDING = 1e-4  # relative; a sum of hundreds of float32 products is hardly ever further off
WAITING = "A worker folds the network and measures both; this takes some seconds."
WHAT_IT_IS = (
    "Once a network is trained, a batch-normalization layer only multiplies and adds constants: "
    "γ/√(moving variance + ε) times x, plus a shift. "
    "The Dense layer or convolution beside it can do that too, with other weights: the same predictions, fewer layers."
)


def render_fold(lab: Scheduler, shown: Mapping[str, Sequence[Run]]) -> None:
    """Draw the choice of a run, the button that has it folded, and what came of it; `shown` is by label."""
    with st.expander("Fold batch normalization away", icon=":material/layers_clear:", key="fold"):
        st.caption(WHAT_IT_IS)
        names = {run.digest: _name(label, run, runs) for label, runs in shown.items() for run in runs if can_fold(run)}
        if not names:
            st.info(_why_none([run for runs in shown.values() for run in runs]))
            return
        chosen = st.selectbox("Network", list(names), format_func=names.__getitem__, key="fold-run")
        run = next(run for runs in shown.values() for run in runs if run.digest == chosen)
        subject = run.digest, run.step  # a run that was continued has other weights
        task = current_task(KEY, subject)
        if task is None:
            arguments = (KEY, subject, lab, fold_run, lab.store.url, run.digest)
            st.button("Fold and measure", on_click=submit_task, args=arguments, key="fold-begin")
        else:
            render_task(KEY, task, lambda _: WAITING, lambda report: _render_report(report, run.digest))


def _name(label: str, run: Run, runs: Sequence[Run]) -> str:
    return f"{label}, seed {run.spec.seed}" if len(runs) > 1 else label


def _why_none(runs: Sequence[Run]) -> str:
    normalized = [run for run in runs if has_normalization(run.spec)]
    if not normalized:
        return "None of these networks has normalization that could be folded away."
    foldable = [run for run in normalized if not why_not_foldable(run.spec)]
    if not foldable:
        return " ".join(sorted({why_not_foldable(run.spec) for run in normalized}))
    if are_active(foldable):
        return "A network can be folded when its training is over."
    return "The recorded networks came without their weights: press Train to train them here, then fold them."


def _render_report(report: FoldReport, digest: str) -> None:
    st.markdown(finding(report))
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
    columns = {"layer": "Layer", "kind": "Kind"}
    counts = {"before": number("Parameters", format="localized"), "after": number("Folded", format="localized")}
    st.dataframe(
        ledger_frame(report), hide_index=True, placeholder="–", column_config={**columns, **counts}, key="fold-ledger"
    )
    st.download_button(
        f"Download the folded network ({format_size(len(report.model))})",
        report.model,
        f"folded-{digest}.keras",
        icon=":material/download:",
        on_click="ignore",
        key="fold-download",
    )


def measured_frame(report: FoldReport) -> pd.DataFrame:
    """Two rows, as trained and folded: network, layers, params, val_accuracy (%), latency_1, latency_256 (ms)."""
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


def finding(report: FoldReport) -> str:
    """How far the two networks are apart, in a sentence or two."""
    why = "as rounding to 32-bit numbers leaves them" if report.relative <= ROUNDING else "more than rounding explains"
    return (
        f"Over {report.examples:,} validation images no logit (what enters the softmax) differs by more than "
        f"**{format_power(report.difference)}**, which is {format_power(report.relative)} of the largest logit: {why}."
    )
