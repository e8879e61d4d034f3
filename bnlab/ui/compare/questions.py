"""What Compare is about: two lines on batch normalization, and the questions that presets answer."""

import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.specs.diff import format_value
from bnlab.specs.lesson import ALL_FIELDS
from bnlab.specs.presets import PRESETS
from bnlab.specs.url import preset_of
from bnlab.ui.compare.toolbar import show_preset
from bnlab.ui.controls import bind
from bnlab.ui.state import PageState

INTRODUCTION = (
    "Batch normalization (BN) rescales each unit’s values to mean 0 and variance 1 over a mini-batch, then learns a "
    "scale (gamma) and an offset (beta). Below, small networks with and without it learn {datasets}."
)
# On a narrow screen the chips scroll sideways: the selected one is brought into sight. Its name in the comment makes
# the script run again when another one is selected.
_SCROLL_SCRIPT = """<script>/* %s */
setTimeout(() => {
  const chip = document.querySelector('.st-key-question button[aria-checked="true"]'), strip = chip?.parentElement;
  if (strip) strip.scrollTo({ left: chip.offsetLeft - (strip.clientWidth - chip.clientWidth) / 2 });
}, 300);
</script>"""
DESCRIPTIONS = {"mnist": "MNIST, images of handwritten digits"}


def render_introduction(state: PageState) -> None:
    """Draw the two lines, which name the datasets on the page."""
    names = dict.fromkeys(variant.spec.dataset for variant in state.comparison.variants)
    datasets = " and ".join(DESCRIPTIONS.get(name, format_value("dataset", name)) for name in names)
    with st.container(key="introduction"):
        st.markdown(INTRODUCTION.format(datasets=escape_markdown(datasets)))


def render_questions(state: PageState) -> None:
    """Draw a chip for each question; the one whose preset is shown is selected."""
    if state.lesson.hides("variants") or state.lesson.predict:
        return
    questions = {name: preset.question for name, preset in PRESETS.items() if preset.question}
    shown = preset_of(state.comparison)
    st.pills(
        "Questions",
        list(questions),
        format_func=lambda name: questions[name],
        label_visibility="collapsed",
        disabled=state.lesson.locks(ALL_FIELDS),
        **bind("question", shown if shown in questions else None, _ask),
    )
    with st.container(key="scroll-script-question"):
        st.html(_SCROLL_SCRIPT % shown, unsafe_allow_javascript=True)


def _ask(name: str | None) -> str:
    """Show the preset; a second click on its question changes nothing."""
    if name is not None:
        show_preset(name)
    return ""
