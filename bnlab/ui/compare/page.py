"""The Compare page: choose variants, train them, watch their curves."""

import streamlit as st

from bnlab.live.reading import page_version
from bnlab.runs.progress import summary_text
from bnlab.runs.run import Run, are_active
from bnlab.runs.scheduler import Scheduler
from bnlab.ui import services
from bnlab.ui.compare.answer import render_answer
from bnlab.ui.compare.cards import RunsByDigest, SpecsByLabel, render_cards
from bnlab.ui.compare.curves import render_curves
from bnlab.ui.compare.editor import render_editor
from bnlab.ui.compare.folding import render_fold
from bnlab.ui.compare.questions import render_introduction, render_questions
from bnlab.ui.compare.results import render_results
from bnlab.ui.compare.toolbar import render_toolbar
from bnlab.ui.components import render_heading
from bnlab.ui.live import follow, live_text
from bnlab.ui.state import PageState, page_state, view_to_url
from bnlab.ui.visitor import rights_on

STILL_TRAINING = (
    "Still training: each run counts with its latest measurement, wherever it stands. "
    "Predictions are timed when no run trains."
)
ENDED = "Each run counts with its last measurement."
HOW_TO_READ = "A click on a column’s name sorts; scroll sideways for more columns."


def render_page() -> None:
    """Draw the page, without waiting for workers: progress and curves are the event stream's (`bnlab.live.compare`)."""
    scheduler, state = services.scheduler(), page_state()
    specs = state.comparison.specs()
    runs, problem = _find_runs(scheduler, specs), scheduler.problem
    rights = rights_on(runs.values())
    with st.container(gap="xsmall"):  # close together, so that the curves are on the first screen
        render_heading("Batch normalization lab", state)
        render_introduction(state)
        render_questions(state)
        render_toolbar(state, specs, runs, rights)
        if problem:
            st.warning(problem, icon=":material/cloud_off:")
        render_answer(scheduler.store, state, specs, runs)
    follow("compare", view_to_url(state), page_version(runs.values(), problem, shares=rights.shares))
    render_curves(state.settings, len(state.comparison.variants))
    _render_summary(scheduler, runs, specs, state)
    render_cards(state, specs, runs, rights)
    if not state.lesson.hides("results"):
        _render_results(scheduler, state, specs, runs, is_active=are_active(runs.values()))
    render_editor(state)


def _render_results(
    scheduler: Scheduler, state: PageState, specs: SpecsByLabel, runs: RunsByDigest, *, is_active: bool
) -> None:
    st.subheader("Results")
    if not runs:
        st.info("The table fills as the networks train.")
        return
    st.caption(f"{STILL_TRAINING if is_active else ENDED} {HOW_TO_READ}")
    scheduler.measure_latencies(run.spec for run in runs.values())
    render_results(state, runs)
    render_fold(_runs_by_label(specs, runs))


def _render_summary(scheduler: Scheduler, runs: RunsByDigest, specs: SpecsByLabel, state: PageState) -> None:
    """A line of text that is always present, so that nothing moves when training starts or ends."""
    digests = {spec.digest for variant_specs in specs.values() for spec in variant_specs}  # variants may share specs
    text = summary_text(runs.values(), len(digests), scheduler.activity(runs.values()))
    trained_here = any(not run.recorded for run in runs.values())
    hint = "" if trained_here or state.lesson.hides("training") else "Press Train to train on this machine."
    with st.container(key="summary"):
        live_text("summary", text, hint, key="summary-text")


def _find_runs(scheduler: Scheduler, specs: SpecsByLabel) -> dict[str, Run]:
    return scheduler.store.find(spec for variant_specs in specs.values() for spec in variant_specs)


def _runs_by_label(specs: SpecsByLabel, runs: RunsByDigest) -> dict[str, list[Run]]:
    return {
        label: [runs[spec.digest] for spec in variant_specs if spec.digest in runs]
        for label, variant_specs in specs.items()
    }
