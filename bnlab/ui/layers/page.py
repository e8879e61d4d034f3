"""The Layers page: gamma, beta, moving statistics, activations and gradients, layer by layer."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from bnlab.charts.layer_charts import Runs, ShownRun
from bnlab.charts.layer_views import LAYER_VIEWS
from bnlab.live.layers import SEED, LayersView, layers_version
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.specs.comparison import Comparison
from bnlab.specs.lesson import Lesson
from bnlab.ui import services
from bnlab.ui.components import render_errors, render_heading
from bnlab.ui.layers.choices import choose_networks, choose_view, render_legend
from bnlab.ui.layers.depth_profile import render_xray
from bnlab.ui.layers.views import TITLES, VIEWS_BY_TITLE, XRAY, render_charts, render_tables
from bnlab.ui.live import follow
from bnlab.ui.navigation import page_path
from bnlab.ui.state import PageState, page_state

UNTRAINED = (
    "None of these networks has been trained with this seed. Press Train on the Compare page, or choose X-ray, which "
    "needs no training."
)
UNTRAINED_HIDDEN = "None of these networks has been trained with this seed, and this link hides training."
XRAY_HIDDEN = "For an X-ray a worker trains the networks anew, and this link hides training. Choose another view."


def render_page() -> None:
    """Draw the page; its charts and remarks are the event stream's (`bnlab.live.layers`)."""
    scheduler, state = services.scheduler(), page_state()
    render_heading("Layers", state)
    seed = _choose_seed(state)
    if not render_layers(scheduler.store, state.comparison, seed, state.lesson, scheduler.problem):
        st.page_link(page_path("compare"), label="Go to Compare", icon=":material/arrow_forward:")


def _choose_seed(state: PageState) -> int:
    """The index of the chosen seed, without a control if there is only one."""
    if state.comparison.seeds == 1:
        return 0
    first = state.comparison.variants[0].spec.seed
    return int(
        st.segmented_control(
            "Seed",
            range(state.comparison.seeds),
            format_func=lambda index: str(first + index),
            default=0,
            required=True,
            key=SEED,
            bind="query-params",
        )
        or 0
    )


def render_layers(store: Store, comparison: Comparison, seed: int, lesson: Lesson, problem: str) -> bool:
    """Draw the choice of a view and the chosen view, and follow it. Returns whether any network has been launched."""
    view = LayersView(comparison, seed, choose_view(TITLES, VIEWS_BY_TITLE))
    runs = store.find(view.specs.values())
    chosen, shown = _render_view(store, view, runs, lesson)
    follow("layers", chosen.to_url(), layers_version(runs, view.digests, shown, problem))
    return bool(runs)


def _render_view(store: Store, view: LayersView, runs: Mapping[str, Run], lesson: Lesson) -> tuple[LayersView, Runs]:
    """Draw the view with its controls. Returns it with what was chosen, and the runs that it shows."""
    is_xray, nothing = view.view == XRAY, (view, ())
    if is_xray and lesson.hides("training"):
        st.info(XRAY_HIDDEN)
        return nothing
    available = {label: spec for label, spec in view.specs.items() if is_xray or spec.digest in runs}
    if not available:
        st.info(UNTRAINED_HIDDEN if lesson.hides("training") else UNTRAINED)
        return nothing
    networks = choose_networks(available)
    if not networks:
        st.info("Choose at least one network.")
        return nothing
    view = replace(view, networks=tuple(networks))
    shown = view.shown_runs(store, runs)
    if is_xray:
        _render_xray(store, view)
    elif not shown:
        st.info("None of these networks has normalization. Choose one that has, or another view.")
    else:
        shown_runs = [runs[run.digest] for run in shown]
        render_legend([run.style for run in shown], view.remarks(runs, shown))
        render_errors(shown_runs)
        with st.container(key="layers-charts"):
            if view.view in LAYER_VIEWS:
                layers, epoch = render_charts(store, LAYER_VIEWS[view.view], shown)
                view = replace(view, layers=layers, epoch=epoch)
            else:
                render_tables(shown)
    return view, shown


def _render_xray(store: Store, view: LayersView) -> None:
    """Draw the X-ray, which needs no runs."""
    styles = view.styles
    runs = tuple(ShownRun(view.specs[label].digest, -1, styles[label], view.specs[label]) for label in view.networks)
    render_legend([run.style for run in runs], "")
    with st.container(key="layers-charts"):
        render_xray(store, runs)
