"""One row a run: what it is called, how far it is, and the button that fits its state."""

import time
from collections.abc import Mapping

import streamlit as st

from bnlab.charts.style import Style
from bnlab.runs.lab import Lab
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.spec.run_spec import RunSpec

STALE_SECONDS = 20.0
FIRST_ESTIMATE_SECONDS = 0.3


def render_progress(
    lab: Lab, specs: Mapping[str, RunSpec], runs: Mapping[str, Run], styles: Mapping[str, Style]
) -> None:
    """Draw a row for each of `specs` (label -> spec); `runs` maps the digests of those launched to their runs."""
    for label, spec in specs.items():
        run = runs.get(spec.digest)
        name, bar, button = st.columns([3, 6, 1.4], vertical_alignment="center")
        colour = styles[spec.digest].colour
        name.markdown(f'<span style="color:{colour}">&#9632;</span> **{label}**', unsafe_allow_html=True)
        bar.progress(run.progress if run else 0.0, text=_words(run) if run else "Not trained yet")
        with button:
            _render_button(lab, label, spec, run)
        if run and run.error:
            st.error(run.error, icon=":material/error:")


def _render_button(lab: Lab, label: str, spec: RunSpec, run: Run | None) -> None:
    if run is None:
        return
    key = f"run-{spec.digest}"
    if run.state.can_continue():
        text, icon = ("Retry", "refresh") if run.state is RunState.FAILED else ("Continue", "play_arrow")
        st.button(text, key, icon=f":material/{icon}:", on_click=_launch, args=(lab, spec, label), width="stretch")
    elif not run.state.is_finished():
        icon, off = ":material/stop:", run.stop_requested
        st.button("Stop", key, icon=icon, on_click=lab.stop, args=([run.digest],), disabled=off, width="stretch")


def _launch(lab: Lab, spec: RunSpec, label: str) -> None:
    lab.launch(spec, label)


def _words(run: Run) -> str:
    """The state in a few words, as a person would say it."""
    steps = f"step {run.step:,} of {run.total_steps:,}"
    words = {
        RunState.QUEUED: "Waiting for a worker" + (f", at {steps}" if run.step else ""),
        RunState.RUNNING: f"{'Stopping' if run.stop_requested else 'Training'}, {steps}{_left(run)}",
        RunState.COMPLETED: f"Done after {run.seconds:.1f} s of training",
        RunState.STOPPED: f"Stopped at {steps}",
        RunState.FAILED: f"Failed at {steps}",
        RunState.DIVERGED: f"Diverged: the loss was no longer a number at {steps}",
    }
    return words[run.state]


def _left(run: Run) -> str:
    quiet = time.time() - run.updated_at
    if quiet > STALE_SECONDS:
        return f", no word from its worker for {quiet:.0f} s"
    if run.seconds_left is None or run.seconds < FIRST_ESTIMATE_SECONDS:
        return ""
    return f", {run.step * run.spec.batch_size / max(run.seconds, 1e-9):,.0f} images/s, {run.seconds_left:.0f} s left"
