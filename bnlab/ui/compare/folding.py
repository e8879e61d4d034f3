"""Folding of a finished run's normalization layers; a worker folds the network and measures it before and after."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from bnlab.charts.formatting import escape_markdown, format_power, format_size
from bnlab.model.folding import kept_layers
from bnlab.runs.folding import FoldReport, fold_obstacles, fold_run, parameters_frame
from bnlab.runs.run import Run
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
        "Merge BN into neighboring layers (folding)", icon=":material/layers_clear:", key=EXPANDER, on_change="rerun"
    ):
        st.caption(DESCRIPTION)
        store = services.scheduler().store
        obstacles = fold_obstacles(store, [run for variant_runs in runs.values() for run in variant_runs])
        foldable = {
            run.digest: (run, f"{label}, seed {run.spec.seed}" if len(variant_runs) > 1 else label)
            for label, variant_runs in runs.items()
            for run in variant_runs
            if run.digest not in obstacles
        }
        _render_obstacles(_names_by_obstacle(runs, obstacles), has_foldable=bool(foldable))
        if not foldable:
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


def _names_by_obstacle(runs: Mapping[str, Sequence[Run]], obstacles: Mapping[str, str]) -> dict[str, list[str]]:
    """The names of the networks that cannot be folded by the reason: variants, with seeds where it is not all."""
    names: dict[str, list[str]] = {}
    for label, variant_runs in runs.items():
        seeds: dict[str, list[str]] = {}
        for run in variant_runs:
            if run.digest in obstacles:
                seeds.setdefault(obstacles[run.digest], []).append(str(run.spec.seed))
        for obstacle, numbers in seeds.items():
            some = f" (seed {', '.join(numbers)})" if len(numbers) < len(variant_runs) else ""
            names.setdefault(obstacle, []).append(f"{label}{some}")
    return names


def _render_obstacles(names: Mapping[str, Sequence[str]], *, has_foldable: bool) -> None:
    """Say which networks cannot be folded and why; without their names if it is one reason for all."""
    if len(names) == 1 and not has_foldable:
        st.info(escape_markdown(next(iter(names))))
        return
    for obstacle, labels in names.items():
        st.caption(f":material/block: **{escape_markdown(', '.join(labels))}**: {escape_markdown(obstacle)}")


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
