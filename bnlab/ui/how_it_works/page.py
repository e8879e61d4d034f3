"""The How it works page: batch normalization in sections with figures that the browser computes."""

import streamlit as st

from bnlab.charts.layer_views import QUESTIONS
from bnlab.live.layers import VIEW
from bnlab.specs.presets import PRESETS
from bnlab.ui.components import render_heading
from bnlab.ui.how_it_works.figure import Figure
from bnlab.ui.how_it_works.sections import SECTIONS, RunsLink
from bnlab.ui.navigation import page_path
from bnlab.ui.state import PageState, link_parameters, page_state

LEARNED = QUESTIONS["learned"].views[0]
"""The view of Layers that links lead to."""
_INTRODUCTION = (
    "Batch normalization (BN) is a layer that gives each feature of a mini-batch mean 0 and variance 1, and then lets "
    "the network choose another mean (beta) and another spread (gamma). Move the sliders: every figure follows at once."
)


def render_page() -> None:
    """Draw the page."""
    state = page_state()
    render_heading("How batch normalization works", state)
    with st.container(key="how-it-works"):
        st.markdown(_INTRODUCTION)
        st.markdown(
            "\n".join(
                f"{number}. [{section.title}](#{section.anchor}): {section.question}"
                for number, section in enumerate(SECTIONS, start=1)
            )
        )
        for section in SECTIONS:
            st.header(section.title, anchor=section.anchor, divider="gray")
            for part in section.parts:
                _render_part(part, state)
            st.caption(f"Source: {section.source}")


def _render_part(part: str | Figure | RunsLink, state: PageState) -> None:
    match part:
        case Figure():
            part.render()
        case RunsLink():
            comparison = PRESETS[part.preset].recorded_comparison
            with st.container(key=f"compare-how-{part.preset}", width="content"):
                st.page_link(
                    page_path("layers"),
                    label=part.label,
                    icon=":material/layers:",
                    query_params=link_parameters(state, comparison) | {VIEW: [LEARNED]},
                )
        case _:
            st.markdown(part)
