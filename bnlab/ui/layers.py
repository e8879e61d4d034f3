"""Layer by layer: gamma, beta, moving mean and moving variance of one run."""

from collections.abc import Mapping

import streamlit as st

from bnlab.charts.normalization import VARIABLES, normalization_alt, normalization_figure, normalization_frame
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
        _render_layer(store, run, name, styles[spec.digest])
    st.caption("Median over the layer's units, with bands where 70 % and 90 % of the units lie.")


def _render_layer(store: Store, run: Run, name: str, style: Style) -> None:
    frame = normalization_frame(snapshots_frame(store, run.digest, name), run.spec.steps_per_epoch)
    with st.container(border=True):
        st.markdown(f"**{name}**")
        for variable, place in zip(VARIABLES, st.columns(len(VARIABLES)), strict=True):
            with place:
                figure = normalization_figure(frame, variable, style)
                live_chart(figure, key=f"{name} {variable}", height=230, alt=normalization_alt(frame, variable, name))


def _choose_layers(spec: RunSpec) -> list[str]:
    names = [layer.name for layer in describe_network(spec).normalizations]
    if len(names) <= SHOWN_AT_FIRST:
        return names
    return st.pills("Layers", names, default=names[:2], selection_mode="multi", key="layers_shown") or []
