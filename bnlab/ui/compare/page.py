"""The Compare page: choose variants, train them, watch their curves."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bnlab.charts.style import style_of
from bnlab.runs.activity import Activity
from bnlab.runs.progress import summary_text
from bnlab.runs.run import Run, are_active
from bnlab.runs.scheduler import Scheduler
from bnlab.ui import services
from bnlab.ui.compare.cards import ProgressContainers, RunsByDigest, SpecsByLabel, render_cards, render_progress
from bnlab.ui.compare.curves import render_curves
from bnlab.ui.compare.editor import render_editor
from bnlab.ui.compare.folding import render_fold
from bnlab.ui.compare.results import render_results
from bnlab.ui.compare.toolbar import render_toolbar
from bnlab.ui.components import render_heading
from bnlab.ui.state import PageState, page_state
from bnlab.ui.store_errors import fragment

TICK_SECONDS = 0.8
RESULTS_SECONDS = 4.0
"""The results may lag behind the curves."""
STILL_TRAINING = (
    "Still training: each run counts with its latest measurement, wherever it stands. "
    "Predictions are timed when no run trains."
)
ENDED = "Each run counts with its last measurement."
HOW_TO_READ = "A click on a column’s name sorts; scroll sideways for more columns."


def render_page() -> None:
    """Draw the page, without waiting for workers: each tick reads the state of the runs from the store.

    There is a timer only while a run is active, and a tick redraws only the progress and the curves. It reruns the page
    when anything else on it has changed.
    """
    scheduler, state = services.scheduler(), page_state()
    render_heading("Where should batch normalization stand?", state)
    specs = state.comparison.specs()
    runs, problem = _find_runs(scheduler, specs), scheduler.problem
    render_toolbar(state, specs, runs)
    if problem:
        st.warning(problem, icon=":material/cloud_off:")
    with st.container(key="summary"):
        summary = st.container()
    containers = render_cards(state, specs, runs)
    is_active = are_active(runs.values())
    fragment(_render_tick, TICK_SECONDS if is_active else None)(
        scheduler, state, specs, (summary, containers), _shown_outside_ticks(runs, problem)
    )
    if not state.lesson.hides("results"):
        _render_results(scheduler, state, specs, runs, is_active=is_active)
    render_editor(state)


def _render_tick(
    scheduler: Scheduler,
    state: PageState,
    specs: SpecsByLabel,
    containers: tuple[DeltaGenerator, ProgressContainers],
    shown: object,
) -> None:
    """Draw what changes during training; `containers` are those of the summary and of the cards' progress."""
    runs = _find_runs(scheduler, specs)
    if shown != _shown_outside_ticks(runs, scheduler.problem):
        st.rerun()
    summary, cards = containers
    activity = scheduler.activity(runs.values())
    with summary:
        _render_summary(runs, specs, state, activity)
    render_progress(cards, scheduler, specs, runs, activity)
    styles = {variant.label: style_of(variant.label, variant.colour) for variant in state.comparison.variants}
    render_curves(services.curves_cache(), _runs_by_label(specs, runs), styles, state.settings)


def _shown_outside_ticks(runs: RunsByDigest, problem: str) -> object:
    """The values on which the parts of the page outside the tick depend."""
    return {run.digest: (run.state, run.stop_requested, run.error, run.recorded) for run in runs.values()}, problem


def _render_results(
    scheduler: Scheduler, state: PageState, specs: SpecsByLabel, runs: RunsByDigest, *, is_active: bool
) -> None:
    st.subheader("Results")
    if not runs:
        st.info("The table fills as the networks train.")
        return
    st.caption(f"{STILL_TRAINING if is_active else ENDED} {HOW_TO_READ}")
    is_measured = scheduler.measure_latencies(run.spec for run in runs.values())
    fragment(_render_table, RESULTS_SECONDS if is_active or is_measured else None)(scheduler, state, specs)
    render_fold(_runs_by_label(specs, runs))


def _render_table(scheduler: Scheduler, state: PageState, specs: SpecsByLabel) -> None:
    render_results(scheduler.store, _runs_by_label(specs, _find_runs(scheduler, specs)), state.settings)


def _render_summary(runs: RunsByDigest, specs: SpecsByLabel, state: PageState, activity: Activity) -> None:
    """A line of text that is always present, so that nothing moves when training starts or ends."""
    digests = {spec.digest for variant_specs in specs.values() for spec in variant_specs}  # variants may share specs
    summary = summary_text(runs.values(), len(digests), activity)
    trained_here = any(not run.recorded for run in runs.values())
    hint = "" if trained_here or state.lesson.hides("training") else " Press Train to train on this machine."
    st.caption(summary + hint)


def _find_runs(scheduler: Scheduler, specs: SpecsByLabel) -> dict[str, Run]:
    return scheduler.store.find(spec for variant_specs in specs.values() for spec in variant_specs)


def _runs_by_label(specs: SpecsByLabel, runs: RunsByDigest) -> dict[str, list[Run]]:
    return {
        label: [runs[spec.digest] for spec in variant_specs if spec.digest in runs]
        for label, variant_specs in specs.items()
    }
