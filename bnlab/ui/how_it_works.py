"""The page "How it works": batch normalization in six sections, each with figures to play with."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from bnlab.ui.explanations.batch import render_batch
from bnlab.ui.explanations.folding import render_folding
from bnlab.ui.explanations.modes import render_modes
from bnlab.ui.explanations.momentum import render_momentum
from bnlab.ui.explanations.placement import render_placement
from bnlab.ui.explanations.scale import render_scale
from bnlab.ui.heading import LARGE, render_faults
from bnlab.ui.session import desk

# Streamlit leaves a hand's breadth above the title, which a projector has no room for; and an equation that is a pixel
# wider than it says would get a scroll bar.
_COMPACT = """<style>
.stMainBlockContainer { padding-top: 3rem; }
h1 { font-size: 1.9rem !important; }
.katex-display { padding-inline: 3px; }
</style>"""
# A link to a section arrives while what stands above it is still being drawn: hold on to it until that is over, or the
# reader scrolls.
_ARRIVE = """<script>
const section = document.getElementById(location.hash.slice(1));
if (section) {
  const hold = new ResizeObserver(() => section.scrollIntoView());
  hold.observe(section.closest(".stMainBlockContainer"));
  const release = () => hold.disconnect();
  for (const act of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(act, release, { once: true });
  setTimeout(release, 5000);
}
</script>"""
_INTRODUCTION = (
    "Batch normalization (BN) is a layer that gives each feature of a mini-batch mean 0 and variance 1, and then lets "
    "the network choose another mean (beta) and another spread (gamma). Move the sliders: every figure follows at once."
)


@dataclass(frozen=True)
class Section:
    """A part of the page. `anchor` is its address, ``how_it_works#anchor``; `question` is what it answers."""

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


def render_how_it_works() -> None:
    """Draw the page. A control reruns its own section and nothing else."""
    own = desk()
    st.html(_COMPACT + (LARGE if own.view.projector else ""))
    st.title("How batch normalization works")
    render_faults(own)
    st.markdown(_INTRODUCTION)
    st.markdown("\n".join(f"{i}. [{s.title}](#{s.anchor}): {s.question}" for i, s in enumerate(SECTIONS, start=1)))
    for section in SECTIONS:
        st.header(section.title, anchor=section.anchor, divider="gray")
        st.fragment(section.render)()
    st.html(_ARRIVE, unsafe_allow_javascript=True)
