"""Layer by layer: what batch normalization does inside the networks."""

from collections.abc import Mapping

import streamlit as st

from bnlab.charts.style import Style
from bnlab.runs.frames import last_moments
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec
from bnlab.ui.layer_charts import ShownRun
from bnlab.ui.layer_choices import choose_networks, choose_view, has_normalization, render_legend
from bnlab.ui.layer_views import VIEWS

UNTRAINED = (
    "None of these networks has been trained with this seed. Press Train on the Compare page, or choose X-ray, which "
    "needs no training."
)

# Four charts in a row where there is room, two where there is less; Streamlit's own rule makes it one on a phone.
_WRAPPED = """<style>
.st-key-layers-charts { container-type: inline-size; }
@container (min-width: 560px) and (max-width: 1060px) {
  .st-key-layers-charts [data-testid="stColumn"] { min-width: calc(50% - 1rem); }
}
</style>"""


def render_layer_views(
    store: Store, specs: Mapping[str, RunSpec], shown: Mapping[str, Run], styles: Mapping[str, Style]
) -> None:
    """Draw the choices and the chosen view of the networks `specs`, of which `shown` have a run, both by label.

    `styles` maps each label to its style. Cheap to call at every tick: figures are made once a moment.
    """
    st.html(_WRAPPED)
    view = VIEWS[choose_view(list(VIEWS))]
    there = {label: spec for label, spec in specs.items() if view.is_of_untrained or label in shown}
    if not there:
        st.info(UNTRAINED)
        return
    labels = choose_networks(there)
    if not labels:
        st.info("Choose at least one network.")
        return
    drawn = [label for label in labels if has_normalization(specs[label]) or not view.is_of_normalization]
    if not drawn:
        st.info("None of these networks has batch normalization. Choose one that has, or another view.")
        return
    digests = {label: specs[label].digest for label in drawn}
    lasts = last_moments(store, list(digests.values()))
    runs = tuple(ShownRun(digests[label], lasts[digests[label]], styles[label], specs[label]) for label in drawn)
    left_out = [label for label in labels if label not in drawn]
    recorded = [label for label in drawn if label in shown and shown[label].recorded]
    render_legend([run.style for run in runs], left_out, recorded)
    with st.container(key="layers-charts"):
        view.render(store, runs)
