"""The Layers page: gamma, beta, moving statistics, activations and gradients, layer by layer."""

from collections.abc import Mapping, Sequence

import streamlit as st

from bnlab.charts.layer_charts import ShownRun
from bnlab.charts.style import Style, style_of
from bnlab.runs.reader import last_evaluated_steps
from bnlab.runs.run import Run, RunState, are_active
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.lesson import Lesson
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.components import render_errors, render_heading
from bnlab.ui.layers.choices import choose_networks, choose_view, has_normalization, render_legend
from bnlab.ui.layers.views import VIEWS, VIEWS_BY_TITLE, LayerView
from bnlab.ui.state import PageState, page_state

TICK_SECONDS = 1.0


def render_page() -> None:
    """Draw the page; it is drawn anew once a second while a run of the comparison is active."""
    lab = services.scheduler()
    state = page_state()
    render_heading("Layers", state)
    seed = _choose_seed(state)
    specs = {label: of_label[seed] for label, of_label in state.comparison.specs().items()}
    watching = are_active(_shown(lab, specs).values())
    st.fragment(run_every=TICK_SECONDS if watching else None)(_render_body)(lab, state, specs, watching)


def _choose_seed(state: PageState) -> int:
    """The place of the seed to look at; nothing to choose where there is one."""
    if state.comparison.seeds == 1:
        return 0
    first = state.comparison.variants[0].spec.seed
    return int(
        st.segmented_control(
            "Seed",
            range(state.comparison.seeds),
            format_func=lambda place: str(first + place),
            default=0,
            required=True,
            key="layers-seed",
            bind="query-params",
        )
        or 0
    )


def _render_body(lab: Scheduler, state: PageState, specs: Mapping[str, RunSpec], watching: bool) -> None:
    shown = _shown(lab, specs)
    styles = {v.label: style_of(v.label, v.colour) for v in state.comparison.variants}
    render_layer_views(lab.store, specs, shown, styles, state.lesson)
    if not shown:
        st.page_link("pages/compare.py", label="Go to Compare", icon=":material/arrow_forward:")
    if watching != are_active(shown.values()):
        st.rerun()


def _shown(lab: Scheduler, specs: Mapping[str, RunSpec]) -> dict[str, Run]:
    found = lab.store.find(specs.values())
    return {label: found[spec.digest] for label, spec in specs.items() if spec.digest in found}


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
"""What is said of runs that are not complete."""


def render_layer_views(
    store: Store,
    specs: Mapping[str, RunSpec],
    shown: Mapping[str, Run],
    styles: Mapping[str, Style],
    lesson: Lesson,
) -> None:
    """Draw the choices and the chosen view of the networks `specs`, of which `shown` have a run, both by label.

    `styles` maps each label to its style. Cheap to call at every tick: figures are made once a moment.
    """
    view = VIEWS[choose_view({name: view.title for name, view in VIEWS.items()}, VIEWS_BY_TITLE)]
    if view.is_of_untrained and lesson.hides("training"):
        st.info(XRAY_HIDDEN)
        return
    available = {label: spec for label, spec in specs.items() if view.is_of_untrained or label in shown}
    if not available:
        st.info(UNTRAINED_HIDDEN if lesson.hides("training") else UNTRAINED)
        return
    _render_view(store, view, available, shown, styles)


def _render_view(
    store: Store, view: LayerView, specs: Mapping[str, RunSpec], shown: Mapping[str, Run], styles: Mapping[str, Style]
) -> None:
    """Draw a view of some of the networks `specs`."""
    labels = choose_networks(specs)
    if not labels:
        st.info("Choose at least one network.")
        return
    drawn = [label for label in labels if has_normalization(specs[label]) or not view.is_of_normalization]
    if not drawn:
        st.info("None of these networks has normalization. Choose one that has, or another view.")
        return
    digests = {label: specs[label].digest for label in drawn}
    lasts = last_evaluated_steps(store, list(digests.values()))
    runs = tuple(ShownRun(digests[label], lasts[digests[label]], styles[label], specs[label]) for label in drawn)
    left_out = {"Without normalization": [label for label in labels if label not in drawn]}
    remarks = {} if view.is_of_untrained else legend_remarks([shown[label] for label in drawn], runs)
    render_legend(
        [run.style for run in runs], {remark: labels for remark, labels in (left_out | remarks).items() if labels}
    )
    if not view.is_of_untrained:
        render_errors(shown[label] for label in drawn)
    with st.container(key="layers-charts"):
        view.render(store, runs)


def legend_remarks(found: Sequence[Run], drawn: Sequence[ShownRun]) -> dict[str, list[str]]:
    """What is to be said of runs, with those of whom it is true: `drawn` are the same runs as the charts show them.

    The step is that of the charts, for the run may have been read before them.
    """
    remarks: dict[str, list[str]] = {}
    for run, shown in zip(found, drawn, strict=True):
        if run.recorded:
            remarks.setdefault("Recorded, not trained here", []).append(shown.label)
        elif run.state in STATE_TEXTS:
            step = f" (measured to step {shown.measured:,} of {run.total_steps:,})" if shown.measured >= 0 else ""
            remarks.setdefault(STATE_TEXTS[run.state], []).append(shown.label + step)
    return remarks
