"""The Compare page: choose variants, train them, watch their curves."""

from collections.abc import Mapping, Sequence

import streamlit as st

from bnlab.charts.style import style_of
from bnlab.runs.lab import Lab
from bnlab.runs.run import Run
from bnlab.spec.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.cards import render_cards
from bnlab.ui.curves import render_curves
from bnlab.ui.editor import render_editor
from bnlab.ui.folding import render_fold
from bnlab.ui.heading import render_heading
from bnlab.ui.results import render_results
from bnlab.ui.session import Desk, desk
from bnlab.ui.toolbar import render_toolbar

TICK_SECONDS = 0.8

Specs = Mapping[str, Sequence[RunSpec]]


def render_compare() -> None:
    """Draw the page. It never waits: everything below the toolbar is read from the store at each tick."""
    lab = services.lab()
    own = desk()
    render_heading("Where should batch normalization stand?", own)
    specs = own.comparison.specs()
    runs = _runs(lab, specs)
    render_toolbar(lab, own, specs, runs)
    # Only a page with something to watch has a timer; the fragment reruns the page when that begins or is over.
    watching = _is_active(runs)
    body = st.fragment(run_every=TICK_SECONDS if watching else None)(_render_body)
    body(lab, own, specs, watching)
    render_editor(own)


def _render_body(lab: Lab, own: Desk, specs: Specs, watching: bool) -> None:
    runs = _runs(lab, specs)
    shown = {label: [runs[s.digest] for s in wanted if s.digest in runs] for label, wanted in specs.items()}
    if lab.problem:
        st.warning(lab.problem, icon=":material/cloud_off:")
    _render_origin(runs)
    render_cards(lab, own, specs, runs)
    styles = {v.label: style_of(v.label, v.colour) for v in own.comparison.variants}
    render_curves(services.lines(), shown, styles, own.view)
    if not own.lesson.hides("results"):
        st.subheader("Results")
        if runs:
            if _is_active(runs):
                st.caption("Still training: each run counts with its latest measurement, wherever it stands.")
            render_results(lab.store, shown, own.view.baseline)
            render_fold(lab, shown)
        else:
            st.info("The table fills as the networks train: press Train.")
    if watching != _is_active(runs):
        st.rerun()


def _render_origin(runs: Mapping[str, Run]) -> None:
    origins = dict.fromkeys(run.recorded for run in runs.values() if run.recorded)
    if origins:
        said = f"Recorded, not trained here ({'; '.join(origins)}). Press Train to train it on this machine."
        st.caption(f":material/history: {said}")


def _runs(lab: Lab, specs: Specs) -> dict[str, Run]:
    """The runs that exist of `specs`, by digest."""
    return {run.digest: run for run in lab.store.runs(spec.digest for own in specs.values() for spec in own)}


def _is_active(runs: Mapping[str, Run]) -> bool:
    return any(not run.state.is_finished() for run in runs.values())
