"""The variants: a strip that is the legend of the charts, with progress and buttons; and drawings of their networks."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import streamlit as st

from bnlab.charts.formatting import escape_html, escape_markdown
from bnlab.charts.network_diagram import network_svg
from bnlab.charts.style import sample_svg, style_of
from bnlab.live.compare import UNWANTED, WANTED
from bnlab.live.compare_offer import CompareOffer, VariantButton
from bnlab.runs.rights import Rights, others_text
from bnlab.runs.run import Run
from bnlab.specs.advice import advise
from bnlab.specs.comparison import Comparison, Variant
from bnlab.specs.dataset_statistics import DatasetStatistics, statistics_of
from bnlab.specs.datasets import Dataset
from bnlab.specs.diff import differing_values
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.compare.settings import begin_editing, parameters_text
from bnlab.ui.components import screen_reader_text
from bnlab.ui.launching import launch_variants
from bnlab.ui.live import live_progress, live_text
from bnlab.ui.state import PageState, current_state
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import stopping_visitor

MAX_PER_ROW = 4
MAX_CHIPS = 4
"""How many differences of a variant are shown; all are under "What differs"."""

SpecsByLabel = Mapping[str, Sequence[RunSpec]]
"""The specs of each variant, one per seed."""
RunsByDigest = Mapping[str, Run]
"""The runs of those specs that have been launched."""


def render_variants(
    state: PageState, specs: SpecsByLabel, runs: RunsByDigest, rights: Rights, offer: CompareOffer, version: str
) -> None:
    """Draw each variant's name, differences, progress and buttons; the progress is the event stream's.

    `version` is the page's, on which depends who is counted as another one.
    """
    comparison = state.comparison
    differences = differing_values({variant.label: variant.spec for variant in comparison.variants})
    with st.container(key=f"variants-{_columns(comparison)}"):
        for index, variant in enumerate(comparison.variants):
            variant_specs, variant_offer = specs[variant.label], offer.variants[index]
            variant_runs = [runs[spec.digest] for spec in variant_specs if spec.digest in runs]
            with st.container(border=True, key=f"variant-{index}"):
                with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
                    st.markdown(_legend_html(variant), unsafe_allow_html=True)
                    # A place of its own for what comes and goes, so that nothing else moves, not even between two
                    # elements of one script run.
                    with st.container(key=f"training-button-{index}"):
                        if not state.lesson.hides("training"):
                            _render_training_button(variant, index, variant_specs, variant_offer.button)
                    if not state.lesson.hides("variants"):
                        _render_edit_button(variant, index)
                st.markdown(_chips_html(differences[variant.label]), unsafe_allow_html=True)
                live_progress(f"progress/{index}", key=f"progress-{index}")
                kind = WANTED if variant_offer.is_wanted else UNWANTED
                text = others_text(rights.others(variant_runs))
                live_text(f"others/{index}/{kind}", text, key=f"others-{index}", version=version)
    _render_errors({variant.label: offer.variants[index].errors for index, variant in enumerate(comparison.variants)})


def render_networks(comparison: Comparison) -> None:
    """Draw each variant's network, with the number of its parameters."""
    st.subheader("Networks")
    with st.container(key=f"networks-{_columns(comparison)}"):
        for index, variant in enumerate(comparison.variants):
            with st.container(border=True, key=f"network-{index}"):
                style = style_of(variant.label, variant.colour)
                st.markdown(f"{sample_svg(style)} **{escape_html(variant.label)}**", unsafe_allow_html=True)
                st.markdown(
                    _diagram(variant.spec, variant.spec.data, variant.label, variant.colour), unsafe_allow_html=True
                )
                st.caption(parameters_text(variant.spec))


def _columns(comparison: Comparison) -> int:
    """How many variants are side by side on a wide screen, so that all rows but the last are equally long."""
    number = len(comparison.variants)
    return math.ceil(number / math.ceil(number / MAX_PER_ROW))


def _legend_html(variant: Variant) -> str:
    """A button with the name that hides and shows the variant's curves (`static/live_chart.js`)."""
    style, name = style_of(variant.label, variant.colour), escape_html(variant.label)
    help_ = escape_html(f"Hide or show {variant.label} in the charts")
    return (
        f'<button class="variant-name" data-uid="{style.uid}" aria-pressed="true" title="{help_}">'
        f"{sample_svg(style)}<strong>{name}</strong></button>"
    )


def _chips_html(differences: Sequence[str]) -> str:
    """What differs, in a row; always there, so that the rows of all variants are equally high."""
    shown, others = differences[:MAX_CHIPS], differences[MAX_CHIPS:]
    chips = [f"<span>{escape_html(text)}</span>" for text in shown]
    if others:
        chips.append(f'<span title="{escape_html("; ".join(others))}">+{len(others)}</span>')
    return f'<div class="chips">{"".join(chips)}&#8203;</div>'


@lru_cache(maxsize=256)
def _diagram(spec: RunSpec, _data: Dataset, label: str, colour: int) -> str:
    return network_svg(describe_network(spec), style_of(label, colour))


@lru_cache(maxsize=256)
def _count_hints(spec: RunSpec, _data: Dataset, _statistics: DatasetStatistics | None) -> int:
    """The number of hints. The dataset and its statistics, on which they depend, are other ones in a replaced file."""
    return len(advise(spec))


def _render_errors(errors: Mapping[str, Sequence[str]]) -> None:
    """Why runs failed, by the labels of their variants; an error that several have is drawn once."""
    labels: dict[str, list[str]] = {}
    for label, variant_errors in errors.items():
        for error in variant_errors:
            labels.setdefault(error, []).append(label)
    for error, failed in labels.items():
        names = "" if len(failed) == len(errors) else f"{', '.join(map(escape_markdown, failed))}: "
        st.error(f"{names}{escape_markdown(error)}", icon=":material/error:")


def _render_edit_button(variant: Variant, index: int) -> None:
    hints = _count_hints(variant.spec, variant.spec.data, statistics_of(variant.spec.dataset))
    hints_text = f": {hints} hint{'s' if hints > 1 else ''} on its fields" if hints else ""
    help_ = f"Edit {escape_markdown(variant.label)}{hints_text}"
    icon = ":material/lightbulb:" if hints else ":material/tune:"
    on_click: dict[str, Any] = {"on_click": begin_editing, "args": (variant.label,)}
    st.button(
        f"Edit {screen_reader_text(variant.label)}",
        key=f"edit-{index}",
        icon=icon,
        help=help_,
        type="tertiary",
        **on_click,
    )


def _render_training_button(variant: Variant, index: int, specs: Sequence[RunSpec], button: VariantButton) -> None:
    if button in (VariantButton.STOP, VariantButton.STOPPING):
        st.button(
            f"Stop {screen_reader_text(variant.label)}",
            key=f"stop-{index}",
            icon=":material/stop:",
            help=f"Stop {escape_markdown(variant.label)}",
            on_click=_stop,
            args=(variant.label, [spec.digest for spec in specs]),
            disabled=button is VariantButton.STOPPING,
            type="tertiary",
        )
    elif button is not VariantButton.NONE:
        text, icon = ("Retry", "refresh") if button is VariantButton.RETRY else ("Continue", "play_arrow")
        st.button(
            f"{text} {screen_reader_text(variant.label)}",
            key=f"continue-{index}",
            icon=f":material/{icon}:",
            help=f"{text} {escape_markdown(variant.label)}",
            on_click=launch_variants,
            args=(variant.label,),
            type="tertiary",
        )


@callback
def _stop(label: str, digests: Sequence[str]) -> None:
    """Stop the runs that the variant was shown with, and those that it has had since."""
    state = current_state()
    specs = state.comparison.specs().get(state.current_label(label), ())
    services.scheduler().stop({*digests, *(spec.digest for spec in specs)}, stopping_visitor())
