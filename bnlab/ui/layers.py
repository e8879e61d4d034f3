"""Layer by layer: gamma, beta, moving mean and moving variance of one run."""

from collections.abc import Mapping
from functools import lru_cache

import plotly.graph_objects as go
import streamlit as st

from bnlab.charts.normalization import VARIABLES, normalization_alt, normalization_figure, normalization_frame
from bnlab.charts.style import Style
from bnlab.runs.frames import last_moment, snapshots_frame
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
    measured = last_moment(store, run.digest)
    for name in _choose_layers(spec):
        with st.container(border=True):
            st.markdown(f"**{name}**")
            figures = _layer_figures(store, run.digest, name, measured, styles[spec.digest])
            for (variable, (figure, alt)), place in zip(figures.items(), st.columns(len(figures)), strict=True):
                with place:
                    live_chart(figure, key=f"{name} {variable}", height=230, alt=alt)
    st.caption("Median over the layer's units, with bands where 70 % and 90 % of the units lie.")


@lru_cache(maxsize=256)
def _layer_figures(
    store: Store, digest: str, name: str, _measured: int, style: Style
) -> dict[str, tuple[go.Figure, str]]:
    """Each variable's figure and its alt text: drawn once a moment, not once a tick and session."""
    per_epoch = store.run(digest).spec.steps_per_epoch
    frame = normalization_frame(snapshots_frame(store, digest, name), per_epoch)
    return {v: (normalization_figure(frame, v, style), normalization_alt(frame, v, name)) for v in VARIABLES}


def _choose_layers(spec: RunSpec) -> list[str]:
    names = [layer.name for layer in describe_network(spec).normalizations]
    if len(names) <= SHOWN_AT_FIRST:
        return names
    return st.pills("Layers", names, default=names[:2], selection_mode="multi", key="layers_shown") or []
