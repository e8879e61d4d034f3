"""The How it works page: batch normalization in six sections with interactive figures."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from bnlab.ui.components import render_heading
from bnlab.ui.how_it_works.batch import render_batch
from bnlab.ui.how_it_works.folding import render_folding
from bnlab.ui.how_it_works.modes import render_modes
from bnlab.ui.how_it_works.momentum import render_momentum
from bnlab.ui.how_it_works.placement import render_placement
from bnlab.ui.how_it_works.scale import render_scale
from bnlab.ui.state import page_state

_INTRODUCTION = (
    "Batch normalization (BN) is a layer that gives each feature of a mini-batch mean 0 and variance 1, and then lets "
    "the network choose another mean (beta) and another spread (gamma). Move the sliders: every figure follows at once."
)


@dataclass(frozen=True)
class Section:
    """A section of the page, at ``how_it_works#{anchor}``. `question` is shown in the contents."""

    anchor: str
    title: str
    question: str
    render: Callable[[], None]


SECTIONS: tuple[Section, ...] = (
    Section("statistics", "The statistics of a batch", "What does BN do to a batch?", render_batch),
    Section("modes", "Training and inference", "Why do the same numbers come out differently?", render_modes),
    Section("momentum", "Momentum", "Where do the moving statistics come from?", render_momentum),
    Section("placement", "Placement", "Before the activation, or after it?", render_placement),
    Section("scale", "The scale of the inputs", "Can BN replace scaling the data?", render_scale),
    Section("folding", "Folding", "Does BN make predictions slower?", render_folding),
)


def render_page() -> None:
    """Draw the page. Each section is a fragment, so a control reruns only its section."""
    render_heading("How batch normalization works", page_state())
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
            st.fragment(section.render)()
