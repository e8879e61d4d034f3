"""The Layers page: the layers of the comparison's networks, live while they train."""

from collections.abc import Mapping

import streamlit as st

from bnlab.charts.style import style_of
from bnlab.runs.lab import Lab
from bnlab.runs.run import Run, are_active
from bnlab.spec.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.heading import render_heading
from bnlab.ui.layers import render_layer_views
from bnlab.ui.session import PageState, page_state

TICK_SECONDS = 1.0


def render_layers_page() -> None:
    """Draw the page; it is drawn anew once a second while a run of the comparison is active."""
    lab = services.lab()
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


def _render_body(lab: Lab, state: PageState, specs: Mapping[str, RunSpec], watching: bool) -> None:
    shown = _shown(lab, specs)
    styles = {v.label: style_of(v.label, v.colour) for v in state.comparison.variants}
    render_layer_views(lab.store, specs, shown, styles, state.lesson)
    if not shown:
        st.page_link("pages/compare.py", label="Go to Compare", icon=":material/arrow_forward:")
    if watching != are_active(shown.values()):
        st.rerun()


def _shown(lab: Lab, specs: Mapping[str, RunSpec]) -> dict[str, Run]:
    found = lab.store.find(specs.values())
    return {label: found[spec.digest] for label, spec in specs.items() if spec.digest in found}
