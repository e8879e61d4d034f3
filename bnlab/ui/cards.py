"""A card a variant: its name and colour, where BN stands in it, how far it is, and the buttons that fit."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bnlab.charts.stack import stack_svg
from bnlab.charts.style import Style, style_of
from bnlab.runs.lab import Lab
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.spec.advice import advise
from bnlab.spec.comparison import Variant
from bnlab.spec.network import describe_network
from bnlab.spec.run_spec import RunSpec
from bnlab.ui.editor import begin_editing
from bnlab.ui.progress import progress_of, words_of
from bnlab.ui.session import Desk
from bnlab.ui.words import plain, plain_html

IN_A_ROW = 4
# Where four are too narrow to be read, a row is swept through sideways, so that the curves stay in sight.
_ROWS = """<style>
.stHorizontalBlock:has(> .stColumn [class*="st-key-card-"]) { flex-wrap: nowrap; overflow-x: auto; }
.stColumn:has([class*="st-key-card-"]) { min-width: 238px !important; }
[class*="st-key-card-"] { gap: 0.5rem; }
</style>"""

Specs = Mapping[str, Sequence[RunSpec]]
Runs = Mapping[str, Run]
Places = Mapping[str, DeltaGenerator]


def render_cards(lab: Lab, desk: Desk, specs: Specs, runs: Runs) -> Places:
    """Draw a card for each variant; `runs` maps the digests of those launched to their runs.

    Returns the place in each variant's card, by its label, where `render_states` says how far it is.
    """
    variants = desk.comparison.variants
    places: dict[str, DeltaGenerator] = {}
    st.html(_ROWS)
    for first in range(0, len(variants), IN_A_ROW):
        row = variants[first : first + IN_A_ROW]
        columns = st.columns(IN_A_ROW if len(variants) > IN_A_ROW else len(row))
        for place, (variant, column) in enumerate(zip(row, columns, strict=False), start=first):
            with column.container(border=True, key=f"card-{place}", height="stretch"):
                own = [runs[spec.digest] for spec in specs[variant.label] if spec.digest in runs]
                _render_head(lab, desk, variant, place, specs[variant.label], own)
                _render_network(variant)
                places[variant.label] = st.container()  # an empty place would be blank until the tick fills it
                _render_errors(own)
    return places


def render_states(places: Places, lab: Lab, specs: Specs, runs: Runs) -> None:
    """Say in each card how far its variant is: the part of a card that moves while it trains."""
    queue = {digest: place for place, digest in enumerate(lab.store.queue(), start=1)} if _waits(runs) else {}
    for label, wanted in specs.items():
        own = [runs[spec.digest] for spec in wanted if spec.digest in runs]
        places[label].progress(progress_of(own, len(wanted)), text=words_of(own, len(wanted), queue))


def _waits(runs: Runs) -> bool:
    return any(run.state is RunState.QUEUED for run in runs.values())


def _render_head(
    lab: Lab, desk: Desk, variant: Variant, place: int, specs: Sequence[RunSpec], own: Sequence[Run]
) -> None:
    style = style_of(variant.label, variant.colour)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        st.markdown(f"{_sample(style)} **{plain_html(variant.label)}**", unsafe_allow_html=True, width="stretch")
        if not desk.lesson.hides("training"):
            _render_training_button(lab, variant, place, specs, own)
        if not desk.lesson.hides("variants"):
            _render_edit_button(variant, place)


def _render_network(variant: Variant) -> None:
    st.markdown(_drawn(variant.spec, variant.label, variant.colour), unsafe_allow_html=True)
    st.caption(_counted(variant.spec))


@lru_cache(maxsize=256)
def _drawn(spec: RunSpec, label: str, colour: int) -> str:
    return stack_svg(describe_network(spec), style_of(label, colour))


@lru_cache(maxsize=256)
def _counted(spec: RunSpec) -> str:
    network = describe_network(spec)
    others = f" + {network.non_trainable:,} not" if network.non_trainable else ""
    return f"Parameters: {network.trainable:,} trainable{others}"


@lru_cache(maxsize=256)
def _hints(spec: RunSpec) -> int:
    return len(advise(spec))


def _sample(style: Style) -> str:
    """A piece of the variant's line, in its colour and its dash."""
    dash = {"dash": "7 4", "dot": "2 3", "dashdot": "7 3 2 3", "longdash": "11 4", "longdashdot": "11 3 2 3"}
    array = dash.get(style.dash, "none")
    return (
        '<svg width="34" height="12" aria-hidden="true" style="vertical-align:middle">'
        f'<line x1="1" x2="33" y1="6" y2="6" stroke="{style.colour}" stroke-width="5" '
        f'stroke-dasharray="{array}"/></svg>'
    )


def _render_errors(own: Sequence[Run]) -> None:
    for error in dict.fromkeys(run.error for run in own if run.error):
        st.error(plain(error), icon=":material/error:")


def _render_edit_button(variant: Variant, place: int) -> None:
    hints = _hints(variant.spec)
    said = f"Edit {variant.label}" + (f": {hints} hint{'s' if hints > 1 else ''} on its fields" if hints else "")
    icon = ":material/lightbulb:" if hints else ":material/tune:"
    if st.button("Edit", key=f"edit-{place}", icon=icon, help=said, type="tertiary"):
        begin_editing(place)
        st.rerun()


def _render_training_button(
    lab: Lab, variant: Variant, place: int, specs: Sequence[RunSpec], own: Sequence[Run]
) -> None:
    active = [run for run in own if not run.state.is_finished()]
    again = [run.state for run in own if run.state.can_continue()]
    if active:
        off = all(run.stop_requested for run in active)
        digests = [run.digest for run in active]
        st.button(
            "Stop",
            key=f"stop-{place}",
            icon=":material/stop:",
            on_click=lab.stop,
            args=(digests,),
            disabled=off,
            type="tertiary",
        )
    elif again:
        text, icon = ("Retry", "refresh") if RunState.FAILED in again else ("Continue", "play_arrow")
        st.button(
            text,
            key=f"continue-{place}",
            icon=f":material/{icon}:",
            on_click=_launch,
            args=(lab, specs, variant.label),
            type="tertiary",
        )


def _launch(lab: Lab, specs: Sequence[RunSpec], label: str) -> None:
    for spec in specs:
        lab.launch(spec, label)
