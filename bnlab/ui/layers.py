"""Layer by layer: gamma, beta, moving mean and moving variance of one run."""

from collections.abc import Mapping

import streamlit as st

from bnlab.charts.normalization import normalization_alt, normalization_figure, normalization_frame
from bnlab.charts.style import Style
from bnlab.runs.frames import snapshots_frame
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.spec.network import describe_network
from bnlab.spec.run_spec import RunSpec
from bnlab.ui.live_chart import live_chart

SHOWN_AT_FIRST = 4


def render_layers(
    store: Store, specs: Mapping[str, RunSpec], runs: Mapping[str, Run], styles: Mapping[str, Style]
) -> None:
    """Let a variant be chosen and draw its batch-normalization layers."""
    normalized = {label: spec for label, spec in specs.items() if describe_network(spec).normalizations}
    if not normalized:
        st.info("None of these networks has batch normalization.")
        return
    label = st.pills("Network", list(normalized), default=list(normalized)[-1], required=True, key="layers_of")
    spec = normalized.get(str(label), next(iter(normalized.values())))
    run = runs.get(spec.digest)
    if run is None:
        st.info(f"{label} has not been trained yet: press Train.")
        return
    for name in _choose_layers(spec):
        snapshots = snapshots_frame(store, run.digest, name)
        frame = normalization_frame(snapshots, spec.steps_per_epoch)
        title = f"{name}: what {label} has learned and averaged"
        figure = normalization_figure(frame, styles[spec.digest], title)
        with st.container(border=True):
            live_chart(figure, key=f"layer-{name}", height=320, alt=normalization_alt(frame, title))
    st.caption("Median over the layer's units, with bands where 70 % and 90 % of the units lie.")


def _choose_layers(spec: RunSpec) -> list[str]:
    names = [layer.name for layer in describe_network(spec).normalizations]
    if len(names) <= SHOWN_AT_FIRST:
        return names
    return st.pills("Layers", names, default=names[:2], selection_mode="multi", key="layers_shown") or []
