"""One card per variant: its name and color, its network, its progress, and buttons."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import streamlit as st

from bnlab.charts.formatting import escape_html, escape_markdown
from bnlab.charts.network_diagram import network_svg
from bnlab.charts.style import sample_svg, style_of
from bnlab.runs.run import Run, RunState
from bnlab.specs.advice import advise
from bnlab.specs.comparison import Variant
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.compare.editor import begin_editing
from bnlab.ui.components import launch_variants
from bnlab.ui.live import live_progress
from bnlab.ui.state import PageState
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import Rights, others_text, stopping_visitor

MAX_PER_ROW = 4

SpecsByLabel = Mapping[str, Sequence[RunSpec]]
"""The specs of each variant, one per seed."""
RunsByDigest = Mapping[str, Run]
"""The runs of those specs that have been launched."""


def render_cards(state: PageState, specs: SpecsByLabel, runs: RunsByDigest, rights: Rights) -> None:
    """Draw a card for each variant; its progress is the event stream's."""
    variants = state.comparison.variants
    rows = math.ceil(len(variants) / MAX_PER_ROW)
    columns = math.ceil(len(variants) / rows)
    with st.container(key=f"cards-{columns}"):
        for index, variant in enumerate(variants):
            with st.container(border=True, key=f"card-{index}"):
                variant_specs = specs[variant.label]
                variant_runs = _launched(variant_specs, runs)
                _render_network(variant)
                live_progress(f"progress/{index}", key=f"progress-{index}")
                _render_errors(variant_runs)
                with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
                    if not state.lesson.hides("variants"):
                        _render_edit_button(variant, index)
                    if not state.lesson.hides("training"):
                        _render_training_button(variant, index, variant_runs, rights)
                    if text := others_text(rights.others(variant_runs)):
                        st.markdown(f":small[{text}]", width="content")


def _launched(specs: Sequence[RunSpec], runs: RunsByDigest) -> list[Run]:
    return [runs[spec.digest] for spec in specs if spec.digest in runs]


def _render_network(variant: Variant) -> None:
    style = style_of(variant.label, variant.colour)
    st.markdown(f"{sample_svg(style)} **{escape_html(variant.label)}**", unsafe_allow_html=True)
    st.markdown(_diagram(variant.spec, variant.label, variant.colour), unsafe_allow_html=True)
    st.caption(_parameters_text(variant.spec))


@lru_cache(maxsize=256)
def _diagram(spec: RunSpec, label: str, colour: int) -> str:
    return network_svg(describe_network(spec), style_of(label, colour))


@lru_cache(maxsize=256)
def _parameters_text(spec: RunSpec) -> str:
    network = describe_network(spec)
    non_trainable = f" + {network.non_trainable:,} not" if network.non_trainable else ""
    return f"Parameters: {network.trainable:,} trainable{non_trainable}"


@lru_cache(maxsize=256)
def _count_hints(spec: RunSpec) -> int:
    return len(advise(spec))


def _render_errors(runs: Sequence[Run]) -> None:
    for error in dict.fromkeys(run.error for run in runs if run.error):
        st.error(escape_markdown(error), icon=":material/error:")


def _render_edit_button(variant: Variant, index: int) -> None:
    hints = _count_hints(variant.spec)
    hints_text = f": {hints} hint{'s' if hints > 1 else ''} on its fields" if hints else ""
    help_ = f"Edit {escape_markdown(variant.label)}{hints_text}"
    icon = ":material/lightbulb:" if hints else ":material/tune:"
    on_click: dict[str, Any] = {"on_click": begin_editing, "args": (variant.label,)}
    st.button("Edit", key=f"edit-{index}", icon=icon, help=help_, type="tertiary", **on_click)


def _render_training_button(variant: Variant, index: int, runs: Sequence[Run], rights: Rights) -> None:
    active = [run for run in runs if not run.state.is_finished() and rights.may_stop(run)]
    resumable = [run.state for run in runs if run.state.can_continue()]
    if active:
        st.button(
            "Stop",
            key=f"stop-{index}",
            icon=":material/stop:",
            on_click=_stop,
            args=([run.digest for run in runs],),
            disabled=all(run.stop_requested for run in active),
            type="tertiary",
        )
    elif resumable:
        text, icon = ("Retry", "refresh") if RunState.FAILED in resumable else ("Continue", "play_arrow")
        st.button(
            text,
            key=f"continue-{index}",
            icon=f":material/{icon}:",
            on_click=launch_variants,
            args=(variant.label,),
            type="tertiary",
        )


@callback
def _stop(digests: Sequence[str]) -> None:
    services.scheduler().stop(digests, stopping_visitor())
