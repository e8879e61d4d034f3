"""A zip of the chosen runs, made by a worker while the page stays usable."""

from collections.abc import Sequence

import streamlit as st

from bnlab.charts.formatting import format_size
from bnlab.runs.export import export_runs
from bnlab.runs.run import Run
from bnlab.runs.scheduler import Scheduler
from bnlab.ui.worker_task import WorkerTask, current_task, render_task, submit_task

KEY = "export"
MAX_RUNS = 100
"""At once: the zip is made in memory, some megabytes a run."""
WHAT_IS_IN_IT = "Spec, metrics as CSV and Parquet, TensorBoard events, the Keras model and a script that trains it."


def render_export(lab: Scheduler, chosen: Sequence[Run]) -> None:
    """Draw the button that has the zip made, its progress, and then the download."""
    digests = tuple(run.digest for run in chosen)
    if not digests:
        return
    runs = f"{len(digests)} run{'s' if len(digests) > 1 else ''}"
    task = current_task(KEY, digests)
    if task is not None:
        render_task(KEY, task, lambda task: _waiting(task, runs), _render_download)
        return
    many = len(digests) > MAX_RUNS
    st.button(
        f"Export {runs} as a zip",
        icon=":material/folder_zip:",
        help=f"At most {MAX_RUNS} runs fit into one zip." if many else WHAT_IS_IN_IT,
        disabled=many,
        on_click=_begin,
        args=(lab, digests),
        key="export-begin",
    )


def _begin(lab: Scheduler, digests: tuple[str, ...]) -> None:
    submit_task(KEY, digests, lab, export_runs, lab.store.url, digests)


def _waiting(task: WorkerTask[bytes], runs: str) -> str:
    return f"A worker packs {runs}, for {task.seconds:.0f} s so far; it takes some seconds a run."


def _render_download(packed: bytes) -> None:
    st.download_button(
        f"Download the zip ({format_size(len(packed))})",
        packed,
        "bnlab-runs.zip",
        "application/zip",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
        key="export-download",
    )
