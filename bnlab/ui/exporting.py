"""A zip of the chosen runs, made by a worker while the page stays usable."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import streamlit as st

from bnlab.runs.export import export_runs
from bnlab.runs.lab import Lab
from bnlab.runs.run import Run
from bnlab.ui.words import plain, size_words

KEY = "export"
POLL_SECONDS = 0.5
MOST_RUNS = 100
"""At once: the zip is made in memory, some megabytes a run."""
WHAT_IS_IN_IT = "Spec, metrics as CSV and Parquet, TensorBoard events, the Keras model and a script that trains it."


@dataclass(frozen=True)
class Export:
    """A zip that was asked for: of which runs, the worker's answer to come, and when that was."""

    digests: tuple[str, ...]
    answer: "Future[bytes]"
    began: float = field(default_factory=time.monotonic)


def render_export(lab: Lab, chosen: Sequence[Run]) -> None:
    """Draw the button that has the zip made, its progress, and then the download."""
    digests = tuple(run.digest for run in chosen)
    export: Export | None = st.session_state.get(KEY)
    if digests and (export is None or export.digests != digests):
        many = len(digests) > MOST_RUNS
        st.button(
            f"Export {len(digests)} run{'s' if len(digests) > 1 else ''} as a zip",
            icon=":material/folder_zip:",
            help=f"At most {MOST_RUNS} runs fit into one zip." if many else WHAT_IS_IN_IT,
            disabled=many,
            on_click=_begin,
            args=(lab, digests),
            key="export-begin",
        )
    elif export is not None and export.digests == digests:
        waiting = not export.answer.done()
        st.fragment(run_every=POLL_SECONDS if waiting else None)(_render_answer)(export, waiting)


def _begin(lab: Lab, digests: tuple[str, ...]) -> None:
    st.session_state[KEY] = Export(digests, lab.submit(export_runs, lab.store.url, digests))


def _render_answer(export: Export, waiting: bool) -> None:
    if not export.answer.done():
        runs = f"{len(export.digests)} run{'s' if len(export.digests) > 1 else ''}"
        seconds = time.monotonic() - export.began
        st.info(
            f"A worker packs {runs}, for {seconds:.0f} s so far; it takes some seconds a run.",
            icon=":material/hourglass_top:",
        )
        return
    if waiting:
        st.rerun()  # stop polling
    error = export.answer.exception()
    if error is not None:
        st.error(plain(str(error)), icon=":material/error:")
        st.button("Try again", on_click=lambda: st.session_state.pop(KEY), key="export-again")
        return
    packed = export.answer.result()
    st.download_button(
        f"Download the zip ({size_words(len(packed))})",
        packed,
        "bnlab-runs.zip",
        "application/zip",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
        key="export-download",
    )
