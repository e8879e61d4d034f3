"""The Compare page: choose variants, train them, watch their curves."""

from collections.abc import Mapping, Sequence

import streamlit as st

from bnlab.charts.style import style_of
from bnlab.runs.progress import summary_text
from bnlab.runs.run import Run, are_active
from bnlab.runs.scheduler import Scheduler
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.compare.cards import Places, render_cards, render_states
from bnlab.ui.compare.curves import render_curves
from bnlab.ui.compare.editor import render_editor
from bnlab.ui.compare.folding import render_fold
from bnlab.ui.compare.results import render_results
from bnlab.ui.compare.toolbar import render_toolbar
from bnlab.ui.components import render_heading
from bnlab.ui.state import PageState, page_state

TICK_SECONDS = 0.8
RESULTS_SECONDS = 4.0
"""The table is read, not watched: it may lag behind the curves a little."""
STILL_TRAINING = "Still training: each run counts with its latest measurement, wherever it stands."
ENDED = "Each run counts with its last measurement."
HOW_TO_READ = "A click on a column’s name sorts; scroll sideways for more columns."

Specs = Mapping[str, Sequence[RunSpec]]
Runs = Mapping[str, Run]


def render_page() -> None:
    """Draw the page. It never waits: what moves while networks train is read from the store at each tick."""
    lab, state = services.scheduler(), page_state()
    render_heading("Where should batch normalization stand?", state)
    specs = state.comparison.specs()
    runs, problem = _runs(lab, specs), lab.problem
    render_toolbar(lab, state, specs, runs)
    if problem:
        st.warning(problem, icon=":material/cloud_off:")
    _render_summary(runs, specs, state)
    places = render_cards(lab, state, specs, runs)
    # Only a page with something to watch has timers, and they redraw only what moves: buttons, drawings and hints
    # stay as they are until a run's state changes, upon which the tick has the whole page drawn anew.
    watching = are_active(runs.values())
    tick = st.fragment(run_every=TICK_SECONDS if watching else None)(_render_tick)
    tick(lab, state, specs, places, _shown_outside_ticks(runs, problem))
    if not state.lesson.hides("results"):
        _render_results(lab, state, specs, runs, watching=watching)
    render_editor(state)


def _render_tick(lab: Scheduler, state: PageState, specs: Specs, places: Places, shown: object) -> None:
    runs = _runs(lab, specs)
    if shown != _shown_outside_ticks(runs, lab.problem):
        st.rerun()
    render_states(places, lab, specs, runs)
    styles = {v.label: style_of(v.label, v.colour) for v in state.comparison.variants}
    render_curves(services.curves_cache(), _runs_by_label(specs, runs), styles, state.settings)


def _shown_outside_ticks(runs: Runs, problem: str) -> object:
    """All that the page shows outside its ticks."""
    return {run.digest: (run.state, run.stop_requested, run.error, run.recorded) for run in runs.values()}, problem


def _render_results(lab: Scheduler, state: PageState, specs: Specs, runs: Runs, *, watching: bool) -> None:
    st.subheader("Results")
    if not runs:
        st.info("The table fills as the networks train.")
        return
    st.caption(f"{STILL_TRAINING if watching else ENDED} {HOW_TO_READ}")
    st.fragment(run_every=RESULTS_SECONDS if watching else None)(_render_table)(lab, state, specs)
    render_fold(lab, _runs_by_label(specs, runs))


def _render_table(lab: Scheduler, state: PageState, specs: Specs) -> None:
    render_results(lab.store, _runs_by_label(specs, _runs(lab, specs)), state.settings)


def _render_summary(runs: Runs, specs: Specs, state: PageState) -> None:
    """One line that is always there, so that nothing moves when training begins or ends."""
    wanted = {spec.digest for seeds in specs.values() for spec in seeds}  # two variants may be the same network
    summary = summary_text(runs.values(), len(wanted))
    trained_here = any(not run.recorded for run in runs.values())
    offer = "" if trained_here or state.lesson.hides("training") else " Press Train to train on this machine."
    with st.container(key="summary"):
        st.caption(summary + offer)


def _runs(lab: Scheduler, specs: Specs) -> dict[str, Run]:
    """The runs that exist of `specs`, by digest."""
    return lab.store.find(spec for seeds in specs.values() for spec in seeds)


def _runs_by_label(specs: Specs, runs: Runs) -> dict[str, list[Run]]:
    """Each variant's runs, by its label."""
    return {label: [runs[spec.digest] for spec in seeds if spec.digest in runs] for label, seeds in specs.items()}
