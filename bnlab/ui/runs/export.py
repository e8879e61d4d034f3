"""Export of the chosen runs as a zip file, made by a worker while the page stays usable."""

from collections.abc import Sequence

import streamlit as st

from bnlab.charts.formatting import format_size
from bnlab.runs.export import export_runs
from bnlab.runs.run import Run
from bnlab.ui import services
from bnlab.ui.downloads import render_download
from bnlab.ui.runs.table import selected_digests
from bnlab.ui.store_errors import callback
from bnlab.ui.worker_task import current_task, render_task, submit_task

TASK = "export"
MAX_RUNS = 100
"""The file is made in memory, some megabytes per run."""
CONTENTS = "Spec, metrics as CSV and Parquet, TensorBoard events, the Keras model and a script that trains it."


def render_export(chosen: Sequence[Run]) -> None:
    """Draw the button that starts the export, its progress, and then the download button."""
    digests = tuple(run.digest for run in chosen)
    if not digests:
        return
    runs = f"{len(digests)} run{'s' if len(digests) > 1 else ''}"
    task = current_task(TASK, digests)
    if task is not None:
        render_task(TASK, task, f"Preparing zip of {runs}…", _render_download)
        return
    too_many = len(digests) > MAX_RUNS
    st.button(
        f"Export {runs} as a zip",
        icon=":material/folder_zip:",
        help=f"At most {MAX_RUNS} runs fit into one zip." if too_many else CONTENTS,
        disabled=too_many,
        on_click=_start_export,
        key="export-start",
    )


@callback
def _start_export() -> None:
    scheduler, digests = services.scheduler(), tuple(selected_digests())
    if 0 < len(digests) <= MAX_RUNS:
        submit_task(TASK, digests, scheduler, export_runs, scheduler.store.url, digests)


def _render_download(content: bytes) -> None:
    label = f"Download the zip ({format_size(len(content))})"
    render_download(label, content, "bnlab-runs.zip", key="export-download", is_primary=True)
