"""The Layers page: gamma, beta, moving statistics, activations and gradients, layer by layer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bnlab.charts.layer_charts import Runs, ShownRun
from bnlab.charts.layer_views import LAYER_VIEWS, QUESTIONS, question_of
from bnlab.live.layers import SEED, LayersView, layers_versions
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.specs.comparison import Comparison
from bnlab.specs.lesson import Lesson
from bnlab.ui import services
from bnlab.ui.components import render_errors, render_heading
from bnlab.ui.layers.choices import choose_networks, choose_question, choose_view, render_legend
from bnlab.ui.layers.depth_profile import MEASURE, render_depth_profile
from bnlab.ui.layers.views import Drawn, render_charts, render_tables
from bnlab.ui.lesson import render_if_hidden
from bnlab.ui.live import follow
from bnlab.ui.navigation import page_path
from bnlab.ui.state import page_state

UNTRAINED = "None of these networks has been trained with this seed. Press Train on the Compare page."
UNTRAINED_HIDDEN = "None of these networks has been trained with this seed, and this link hides training."
MEASURE_TITLE = "Measure more by depth: activation variance, dead and saturated units, covariate shift"


def render_page() -> None:
    """Draw the page; its charts and remarks are the event stream's (`bnlab.live.layers`)."""
    scheduler, state = services.scheduler(), page_state()
    render_heading("Layers", state)
    if render_if_hidden(scheduler.store, state, has_charts=True):
        return
    if not render_layers(scheduler.store, state.comparison, state.lesson, scheduler.problem):
        st.page_link(page_path("compare"), label="Go to Compare", icon=":material/arrow_forward:")


def _choose_seed(comparison: Comparison) -> int:
    """The index of the chosen seed, without a control if there is only one."""
    if comparison.seeds == 1:
        return 0
    first = comparison.variants[0].spec.seed
    return int(
        st.segmented_control(
            "Seed",
            range(comparison.seeds),
            format_func=lambda index: str(first + index),
            default=0,
            required=True,
            key=SEED,
            bind="query-params",
        )
        or 0
    )


def render_layers(store: Store, comparison: Comparison, lesson: Lesson, problem: str) -> bool:
    """Draw a question with its answer, and follow it. Returns whether any network has been launched."""
    question = choose_question()
    answer = st.container(key="layers-answer")
    with st.container(key="layers-choices", horizontal=True, gap="medium"):
        view = LayersView(
            comparison,
            view=choose_view(question),
            seed=_choose_seed(comparison),
            without_results=lesson.hides("results"),
        )
    runs = store.find(view.specs.values())
    chosen, shown, charts = _render_view(store, view, runs, lesson, answer)
    follow("layers", chosen.to_url(), layers_versions(runs, view.digests, shown, charts, problem))
    return bool(runs)


def _render_view(
    store: Store, view: LayersView, runs: Mapping[str, Run], lesson: Lesson, answer: DeltaGenerator
) -> tuple[LayersView, Runs, Sequence[str]]:
    """Draw the view with its controls, and its answer in the container `answer`.

    Returns the view with what was chosen, the runs that it shows, and its charts.
    """
    question, nothing = question_of(view.view), (view, (), ())
    may_measure = question is QUESTIONS["gradients"] and not lesson.hides("training")
    available = {label: spec for label, spec in view.specs.items() if may_measure or spec.digest in runs}
    if not available:
        st.info(UNTRAINED_HIDDEN if lesson.hides("training") else UNTRAINED)
        return nothing
    networks = choose_networks(available, prefers_normalized=question.prefers_normalized)
    if not networks:
        st.info("Choose at least one network.")
        return nothing
    view = replace(view, networks=tuple(networks))
    shown, drawn = view.shown_runs(store, runs), Drawn()
    if shown:
        shown_runs = [runs[run.digest] for run in shown]
        render_legend([run.style for run in shown], view.remarks(runs, shown))
        render_errors(shown_runs)
        with st.container(key="layers-charts"):
            if view.view in LAYER_VIEWS:
                drawn = render_charts(store, view.view, shown, answer, without_answer=view.without_results)
                view = replace(view, layers=drawn.layers, epoch=drawn.epoch)
            else:
                render_tables(shown)
    elif not may_measure:
        st.info("None of these networks has normalization. Choose one that has, or another question.")
    if may_measure:
        _render_depth_profile(store, view, has_charts=bool(shown))
    return view, shown, drawn.charts


def _render_depth_profile(store: Store, view: LayersView, *, has_charts: bool) -> None:
    """Draw what workers measure of the networks, trained or not: at once if there is nothing else to see."""
    styles = view.styles
    runs = tuple(ShownRun(view.specs[label].digest, -1, styles[label], view.specs[label]) for label in view.networks)
    if has_charts:
        if not st.toggle(MEASURE_TITLE, key=MEASURE, bind="query-params"):
            return
    else:
        render_legend([run.style for run in runs], "")
    with st.container(key="layers-profile"):
        render_depth_profile(store, runs)
