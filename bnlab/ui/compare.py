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
from bnlab.ui.progress import summary_of
from bnlab.ui.results import render_results
from bnlab.ui.session import Desk, desk
from bnlab.ui.toolbar import render_toolbar

TICK_SECONDS = 0.8
_ONE_LINE = """<style>
.st-key-summary p { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
@media (max-width: 640px) { .st-key-summary p { white-space: normal; min-height: 3em; } }
</style>"""

STILL_TRAINING = "Still training: each run counts with its latest measurement, wherever it stands."
ENDED = "Each run counts with its last measurement."

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
    _render_summary(runs, specs, own)
    render_cards(lab, own, specs, runs)
    styles = {v.label: style_of(v.label, v.colour) for v in own.comparison.variants}
    render_curves(services.lines(), shown, styles, own.view)
    if not own.lesson.hides("results"):
        st.subheader("Results")
        if runs:
            st.caption(STILL_TRAINING if _is_active(runs) else ENDED)
            render_results(lab.store, shown, own.view.baseline)
            render_fold(lab, shown)
        else:
            st.info("The table fills as the networks train.")
    if watching != _is_active(runs):
        st.rerun()


def _render_summary(runs: Mapping[str, Run], specs: Specs, own: Desk) -> None:
    """One line that is always there, so that nothing moves when training begins or ends."""
    st.html(_ONE_LINE)
    said = summary_of(runs.values(), sum(map(len, specs.values())))
    trained_here = any(not run.recorded for run in runs.values())
    offer = "" if trained_here or own.lesson.hides("training") else " Press Train to train on this machine."
    with st.container(key="summary"):
        st.caption(said + offer)


def _runs(lab: Lab, specs: Specs) -> dict[str, Run]:
    """The runs that exist of `specs`, by digest."""
    return {run.digest: run for run in lab.store.runs(spec.digest for own in specs.values() for spec in own)}


def _is_active(runs: Mapping[str, Run]) -> bool:
    return any(not run.state.is_finished() for run in runs.values())
