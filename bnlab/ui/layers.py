"""Layer by layer: what batch normalization does inside the networks."""

from collections.abc import Mapping, Sequence

import streamlit as st

from bnlab.charts.style import Style
from bnlab.runs.frames import last_moments
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec
from bnlab.ui.layer_charts import ShownRun
from bnlab.ui.layer_choices import choose_networks, choose_view, has_normalization, render_legend
from bnlab.ui.layer_views import VIEWS, VIEWS_BY_TITLE, LayerView
from bnlab.ui.lesson import Lesson
from bnlab.ui.run_errors import render_errors

UNTRAINED = (
    "None of these networks has been trained with this seed. Press Train on the Compare page, or choose X-ray, which "
    "needs no training."
)
UNTRAINED_HIDDEN = "None of these networks has been trained with this seed, and this link hides training."
XRAY_HIDDEN = "For an X-ray a worker trains the networks anew, and this link hides training. Choose another view."

STATE_WORDS = {
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
    lasts = last_moments(store, list(digests.values()))
    runs = tuple(ShownRun(digests[label], lasts[digests[label]], styles[label], specs[label]) for label in drawn)
    left_out = {"Without normalization": [label for label in labels if label not in drawn]}
    remarks = {} if view.is_of_untrained else remarks_on([shown[label] for label in drawn], runs)
    render_legend(
        [run.style for run in runs], {remark: labels for remark, labels in (left_out | remarks).items() if labels}
    )
    if not view.is_of_untrained:
        render_errors(shown[label] for label in drawn)
    with st.container(key="layers-charts"):
        view.render(store, runs)


def remarks_on(found: Sequence[Run], drawn: Sequence[ShownRun]) -> dict[str, list[str]]:
    """What is to be said of runs, with those of whom it is true: `drawn` are the same runs as the charts show them.

    The step is that of the charts, for the run may have been read before them.
    """
    remarks: dict[str, list[str]] = {}
    for run, shown in zip(found, drawn, strict=True):
        if run.recorded:
            remarks.setdefault("Recorded, not trained here", []).append(shown.label)
        elif run.state in STATE_WORDS:
            step = f" (measured to step {shown.measured:,} of {run.total_steps:,})" if shown.measured >= 0 else ""
            remarks.setdefault(STATE_WORDS[run.state], []).append(shown.label + step)
    return remarks
