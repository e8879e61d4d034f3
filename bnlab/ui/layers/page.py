"""The Layers page: gamma, beta, moving statistics, activations and gradients, layer by layer."""

from collections.abc import Mapping, Sequence

import streamlit as st

from bnlab.charts.layer_charts import ShownRun
from bnlab.charts.style import Style, style_of
from bnlab.runs.folding import has_normalization
from bnlab.runs.reader import last_evaluated_steps
from bnlab.runs.run import Run, RunState, are_active
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.lesson import Lesson
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.components import render_errors, render_heading
from bnlab.ui.layers.choices import choose_networks, choose_view, render_legend
from bnlab.ui.layers.views import VIEWS, VIEWS_BY_TITLE, LayerView
from bnlab.ui.navigation import page_path
from bnlab.ui.state import PageState, page_state
from bnlab.ui.store_errors import fragment

TICK_SECONDS = 1.0
UNTRAINED = (
    "None of these networks has been trained with this seed. Press Train on the Compare page, or choose X-ray, which "
    "needs no training."
)
UNTRAINED_HIDDEN = "None of these networks has been trained with this seed, and this link hides training."
XRAY_HIDDEN = "For an X-ray a worker trains the networks anew, and this link hides training. Choose another view."
STATE_TEXTS = {
    RunState.QUEUED: "Waiting for a worker",
    RunState.RUNNING: "Training",
    RunState.STOPPED: "Stopped",
    RunState.FAILED: "Failed",
    RunState.DIVERGED: "Diverged, the loss was no longer a number",
}
"""The legend's remarks about runs that are not complete."""


def render_page() -> None:
    """Draw the page; redrawn once per second while a run of the comparison is active."""
    scheduler = services.scheduler()
    state = page_state()
    render_heading("Layers", state)
    seed_index = _choose_seed(state)
    specs = {label: seed_specs[seed_index] for label, seed_specs in state.comparison.specs().items()}
    was_active = are_active(_runs_by_label(scheduler, specs).values())
    fragment(_render_body, TICK_SECONDS if was_active else None)(scheduler, state, specs, was_active)


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
            key="layers-seed",
            bind="query-params",
        )
        or 0
    )


def _render_body(scheduler: Scheduler, state: PageState, specs: Mapping[str, RunSpec], was_active: bool) -> None:
    runs = _runs_by_label(scheduler, specs)
    styles = {variant.label: style_of(variant.label, variant.colour) for variant in state.comparison.variants}
    render_layer_views(scheduler.store, specs, runs, styles, state.lesson)
    if not runs:
        st.page_link(page_path("compare"), label="Go to Compare", icon=":material/arrow_forward:")
    if was_active != are_active(runs.values()):
        st.rerun()


def _runs_by_label(scheduler: Scheduler, specs: Mapping[str, RunSpec]) -> dict[str, Run]:
    runs = scheduler.store.find(specs.values())
    return {label: runs[spec.digest] for label, spec in specs.items() if spec.digest in runs}


def render_layer_views(
    store: Store,
    specs: Mapping[str, RunSpec],
    runs: Mapping[str, Run],
    styles: Mapping[str, Style],
    lesson: Lesson,
) -> None:
    """Draw the choice of a view and the chosen view; specs, runs and styles are by label.

    Cheap to call at every tick, because figures are cached per evaluation.
    """
    view = VIEWS[choose_view({view_id: view.title for view_id, view in VIEWS.items()}, VIEWS_BY_TITLE)]
    if view.shows_untrained and lesson.hides("training"):
        st.info(XRAY_HIDDEN)
        return
    available = {label: spec for label, spec in specs.items() if view.shows_untrained or label in runs}
    if not available:
        st.info(UNTRAINED_HIDDEN if lesson.hides("training") else UNTRAINED)
        return
    _render_view(store, view, available, runs, styles)


def _render_view(
    store: Store, view: LayerView, specs: Mapping[str, RunSpec], runs: Mapping[str, Run], styles: Mapping[str, Style]
) -> None:
    """Draw the choice of networks, the legend, and the view."""
    chosen = choose_networks(specs)
    if not chosen:
        st.info("Choose at least one network.")
        return
    labels = [label for label in chosen if has_normalization(specs[label]) or not view.needs_normalization]
    if not labels:
        st.info("None of these networks has normalization. Choose one that has, or another view.")
        return
    last_steps = last_evaluated_steps(store, [specs[label].digest for label in labels])
    shown = tuple(
        ShownRun(specs[label].digest, last_steps[specs[label].digest], styles[label], specs[label]) for label in labels
    )
    remarks = {"Without normalization": [label for label in chosen if label not in labels]}
    if not view.shows_untrained:
        remarks |= legend_remarks([runs[label] for label in labels], shown)
    render_legend([run.style for run in shown], {remark: labels for remark, labels in remarks.items() if labels})
    if not view.shows_untrained:
        render_errors(runs[label] for label in labels)
    with st.container(key="layers-charts"):
        view.render(store, shown)


def legend_remarks(runs: Sequence[Run], shown: Sequence[ShownRun]) -> dict[str, list[str]]:
    """Remarks about recorded and incomplete runs, each with the labels of its runs.

    `shown` are the same runs as the charts show them. Steps are taken from there, because `runs` may have been read
    earlier.
    """
    remarks: dict[str, list[str]] = {}
    for run, shown_run in zip(runs, shown, strict=True):
        if run.recorded:
            remarks.setdefault("Recorded, not trained here", []).append(shown_run.label)
        elif run.state in STATE_TEXTS:
            last_step = shown_run.measured
            step = f" (measured to step {last_step:,} of {run.total_steps:,})" if last_step >= 0 else ""
            remarks.setdefault(STATE_TEXTS[run.state], []).append(shown_run.label + step)
    return remarks
