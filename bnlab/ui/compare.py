"""The Compare page: choose a comparison, train it, watch its curves and its layers."""

from collections.abc import Mapping

import streamlit as st

from bnlab.charts.style import Style, styles_of
from bnlab.runs.lab import Lab
from bnlab.runs.run import Run
from bnlab.spec.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.curves import render_curves
from bnlab.ui.layers import render_layers
from bnlab.ui.progress import render_progress
from bnlab.ui.results import render_results
from bnlab.ui.settings import choose_comparison

TICK_SECONDS = 0.8
# Streamlit leaves a hand's breadth above the title, which a projector has no room for.
_COMPACT = "<style>.stMainBlockContainer { padding-top: 3rem; }</style>"


def render_compare() -> None:
    """Draw the page. It never waits: everything below the title is read from the store at each tick."""
    lab = services.lab()
    st.html(_COMPACT)
    st.title("Where should batch normalization stand?")
    specs = choose_comparison()
    runs = _runs(lab, specs)
    _render_buttons(lab, specs, runs)
    # Only a page with something to watch has a timer; the fragment reruns the page when that begins or is over.
    watching = _is_active(runs)
    body = st.fragment(run_every=TICK_SECONDS if watching else None)(_render_body)
    body(lab, specs, watching)


def _render_buttons(lab: Lab, specs: Mapping[str, RunSpec], runs: Mapping[str, Run]) -> None:
    active = [run.digest for run in runs.values() if not run.state.is_finished()]
    waiting = [label for label, spec in specs.items() if _can_launch(runs.get(spec.digest))]
    again = any(spec.digest in runs for label, spec in specs.items() if label in waiting)
    with st.container(horizontal=True):
        st.button(
            "Continue" if again else "Train" if waiting or active else "Trained",
            icon=":material/play_arrow:",
            type="primary",
            disabled=not waiting,
            on_click=_launch,
            args=(lab, {label: specs[label] for label in waiting}),
            shortcut="mod+enter",
            help=None if waiting or active else "These runs are complete. Another seed or more epochs make new ones.",
            key="train",
        )
        if active:
            st.button("Stop all", icon=":material/stop:", on_click=lab.stop, args=(active,), key="stop_all")


def _render_body(lab: Lab, specs: Mapping[str, RunSpec], watching: bool) -> None:
    runs = _runs(lab, specs)
    styles = _styles(specs)
    if lab.problem:
        st.warning(lab.problem, icon=":material/cloud_off:")
    render_progress(lab, specs, runs, styles)
    render_curves(lab.store, runs, styles)
    st.subheader("Results")
    if runs:
        labelled = {label: [runs[spec.digest]] for label, spec in specs.items() if spec.digest in runs}
        render_results(lab.store, labelled)
    else:
        st.info("The table fills as the networks train: press Train.")
    st.subheader("Layer by layer")
    render_layers(lab.store, specs, runs, styles)
    if watching != _is_active(runs):
        st.rerun()


def _launch(lab: Lab, specs: Mapping[str, RunSpec]) -> None:
    for label, spec in specs.items():
        lab.launch(spec, label)


def _runs(lab: Lab, specs: Mapping[str, RunSpec]) -> dict[str, Run]:
    """The runs that exist of `specs`, by digest, in the order of the specs."""
    found = {run.digest: run for run in lab.store.runs(spec.digest for spec in specs.values())}
    return {spec.digest: found[spec.digest] for spec in specs.values() if spec.digest in found}


def _styles(specs: Mapping[str, RunSpec]) -> dict[str, Style]:
    named = styles_of(list(specs))
    return {spec.digest: named[label] for label, spec in specs.items()}


def _can_launch(run: Run | None) -> bool:
    return run is None or run.state.can_continue()


def _is_active(runs: Mapping[str, Run]) -> bool:
    return any(not run.state.is_finished() for run in runs.values())
