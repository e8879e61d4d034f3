"""A card a variant: its name and colour, where BN stands in it, how far it is, and the buttons that fit."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bnlab.charts.formatting import escape_html, escape_markdown
from bnlab.charts.network_diagram import network_svg
from bnlab.charts.style import sample_svg, style_of
from bnlab.runs.progress import share_done, state_text
from bnlab.runs.run import Run, RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.specs.advice import advise
from bnlab.specs.comparison import Variant
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.compare.editor import begin_editing
from bnlab.ui.state import PageState

IN_A_ROW = 4

Specs = Mapping[str, Sequence[RunSpec]]
Runs = Mapping[str, Run]
Places = Mapping[str, DeltaGenerator]


def render_cards(lab: Scheduler, state: PageState, specs: Specs, runs: Runs) -> Places:
    """Draw a card for each variant; `runs` maps the digests of those launched to their runs.

    Returns the place in each variant's card, by its label, where `render_states` says how far it is.
    """
    variants = state.comparison.variants
    rows = math.ceil(len(variants) / IN_A_ROW)
    across = math.ceil(len(variants) / rows)
    places: dict[str, DeltaGenerator] = {}
    with st.container(key=f"cards-{across}"):
        for place, variant in enumerate(variants):
            with st.container(border=True, key=f"card-{place}"):
                own = [runs[spec.digest] for spec in specs[variant.label] if spec.digest in runs]
                _render_network(variant)
                places[variant.label] = st.container()  # an empty place would be blank until the tick fills it
                _render_errors(own)
                _render_buttons(lab, state, variant, place, specs[variant.label], own)
    return places


def render_states(places: Places, lab: Scheduler, specs: Specs, runs: Runs) -> None:
    """Say in each card how far its variant is: the part of a card that moves while it trains."""
    queue = {digest: place for place, digest in enumerate(lab.queue(), start=1)} if _waits(runs) else {}
    for label, wanted in specs.items():
        own = [runs[spec.digest] for spec in wanted if spec.digest in runs]
        places[label].progress(share_done(own, len(wanted)), text=state_text(own, len(wanted), queue))


def _waits(runs: Runs) -> bool:
    return any(run.state is RunState.QUEUED for run in runs.values())


def _render_buttons(
    lab: Scheduler, state: PageState, variant: Variant, place: int, specs: Sequence[RunSpec], own: Sequence[Run]
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        if not state.lesson.hides("variants"):
            _render_edit_button(variant, place)
        if not state.lesson.hides("training"):
            _render_training_button(lab, variant, place, specs, own)


def _render_network(variant: Variant) -> None:
    style = style_of(variant.label, variant.colour)
    st.markdown(f"{sample_svg(style)} **{escape_html(variant.label)}**", unsafe_allow_html=True)
    st.markdown(_drawn(variant.spec, variant.label, variant.colour), unsafe_allow_html=True)
    st.caption(_counted(variant.spec))


@lru_cache(maxsize=256)
def _drawn(spec: RunSpec, label: str, colour: int) -> str:
    return network_svg(describe_network(spec), style_of(label, colour))


@lru_cache(maxsize=256)
def _counted(spec: RunSpec) -> str:
    network = describe_network(spec)
    others = f" + {network.non_trainable:,} not" if network.non_trainable else ""
    return f"Parameters: {network.trainable:,} trainable{others}"


@lru_cache(maxsize=256)
def _hints(spec: RunSpec) -> int:
    return len(advise(spec))


def _render_errors(own: Sequence[Run]) -> None:
    for error in dict.fromkeys(run.error for run in own if run.error):
        st.error(escape_markdown(error), icon=":material/error:")


def _render_edit_button(variant: Variant, place: int) -> None:
    hints = _hints(variant.spec)
    said = f"Edit {escape_markdown(variant.label)}" + (
        f": {hints} hint{'s' if hints > 1 else ''} on its fields" if hints else ""
    )
    icon = ":material/lightbulb:" if hints else ":material/tune:"
    if st.button("Edit", key=f"edit-{place}", icon=icon, help=said, type="tertiary"):
        begin_editing(place)
        st.rerun()


def _render_training_button(
    lab: Scheduler, variant: Variant, place: int, specs: Sequence[RunSpec], own: Sequence[Run]
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


def _launch(lab: Scheduler, specs: Sequence[RunSpec], label: str) -> None:
    lab.launch_runs([(spec, label) for spec in specs])
