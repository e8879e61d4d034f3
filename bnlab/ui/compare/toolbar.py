"""Controls of all variants at once: train and stop, add variants, open the settings, what differs, and the view."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.elements.lib.mutable_popover_container import PopoverContainer

from bnlab.charts.formatting import escape_markdown
from bnlab.live.compare_offer import CompareOffer
from bnlab.specs.comparison import MAX_VARIANTS
from bnlab.specs.diff import differing_fields
from bnlab.specs.lesson import ALL_FIELDS
from bnlab.specs.naming import with_current_labels
from bnlab.specs.presets import PRESETS
from bnlab.specs.validation import revise_spec
from bnlab.ui import services
from bnlab.ui.compare.curves import render_view
from bnlab.ui.compare.settings import toggle_settings
from bnlab.ui.compare.variants import RunsByDigest, SpecsByLabel
from bnlab.ui.components import screen_reader_text
from bnlab.ui.controls import FAULT, apply_changes, forget_controls
from bnlab.ui.launching import COMPARE, forget_pending, launch_variants, pending_at, render_confirmation
from bnlab.ui.state import PageState, current_state, try_change
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import stopping_visitor

PRESETS_MENU, VIEW_MENU = "presets", "view"
COMMON_FIELDS = ("epochs", "train_examples")
"""Fields that a variant which is added has from the others, for a fair comparison."""


def render_toolbar(state: PageState, specs: SpecsByLabel, runs: RunsByDigest, offer: CompareOffer) -> None:
    """Draw the toolbar, one row at any width, and below it the error of the last button."""
    with st.container(horizontal=True, gap="xsmall", wrap=False, key="toolbar"):
        if not state.lesson.hides("training"):
            _render_training(runs, offer)
        if not state.lesson.hides("variants"):
            _render_presets(state)
            st.button("Settings", icon=":material/tune:", on_click=toggle_settings, key="open-settings")
        with st.popover("What differs", icon=":material/difference:", key="what-differs"):
            _render_differences(state)
        if not state.lesson.hides("view"):
            menu = _menu("View", ":material/ssid_chart:", VIEW_MENU)
            if menu.open:
                with menu:
                    render_view(state)
    _render_fault()
    if not state.lesson.hides("training"):
        _render_confirmation(specs, runs)


def _render_fault() -> None:
    if text := st.session_state.get(FAULT):
        st.error(escape_markdown(text), icon=":material/rule:")


def _render_confirmation(specs: SpecsByLabel, runs: RunsByDigest) -> None:
    """Ask before a large launch, as long as the page shows what it was asked for."""
    pending = pending_at(COMPARE)
    if pending is None:
        return
    label, digests = pending.subject
    shown = [spec.digest for name, variant_specs in specs.items() for spec in variant_specs if label in ("", name)]
    if digests != {digest for digest in shown if digest not in runs or runs[digest].can_launch}:
        forget_pending()
        st.rerun()
    render_confirmation(COMPARE, launch_variants, (label,))


def _menu(label: str, icon: str, key: str) -> PopoverContainer:
    """A menu whose controls are to be drawn only while it is open.

    The browser creates them when it opens; drawn before, they would have the defaults of their kind and not the values
    in the session, and would send them.
    """
    return st.popover(label, icon=icon, key=key, on_change="rerun")


def _render_training(runs: RunsByDigest, offer: CompareOffer) -> None:
    if offer.can_train:
        text, icon = "Continue" if offer.is_continued else "Train", "play_arrow"
    else:
        text, icon = ("Training", "hourglass_top") if offer.is_active else ("Trained", "check")
    # Neither is ever disabled. Streamlit drops a press of what is disabled since it last ran the script, which the
    # reader has not seen yet; and what was entered just before the press may have given the button something to do.
    st.button(
        text,
        icon=f":material/{icon}:",
        type="primary" if offer.can_train else "secondary",
        on_click=launch_variants,
        shortcut=None if pending_at(COMPARE) else "mod+enter",
        key="train",
    )
    digests = list(runs)
    st.button("Stop all", icon=":material/stop:", on_click=_stop_all, args=(digests,), key="stop_all")
    idle = [key for key, has_effect in (("train", offer.can_train), ("stop_all", offer.can_stop)) if not has_effect]
    if idle:
        buttons = ", ".join(f".st-key-{key} button" for key in idle)
        st.html(f"<style>{buttons} {{ opacity: 0.65; }}</style>")


@callback
def _stop_all(digests: Sequence[str]) -> None:
    """Stop the runs that were shown, and those that the page's comparison has had since."""
    comparison = current_state().comparison
    shown = [spec.digest for variant_specs in comparison.specs().values() for spec in variant_specs]
    services.scheduler().stop({*digests, *shown}, stopping_visitor())


def _render_presets(state: PageState) -> None:
    is_full, is_locked = len(state.comparison.variants) >= MAX_VARIANTS, state.lesson.locks(ALL_FIELDS)
    menu = st.popover(
        "Compare…", icon=":material/add:", key=PRESETS_MENU, disabled=is_locked, on_change="rerun"
    )  # its key has whether it is open
    with menu:
        for name, preset in PRESETS.items():
            st.markdown(preset.description)
            with st.container(horizontal=True):
                st.button(
                    escape_markdown(preset.title),
                    key=f"show-{name}",
                    type="primary",
                    on_click=show_preset,
                    args=(name,),
                )
                for index, variant in enumerate(preset.variants):
                    key = f"add-{name}-{index}"
                    arguments = (name, index)
                    text = f"Add {escape_markdown(variant.label)} {screen_reader_text(f'of “{preset.title}”')}"
                    st.button(text, key=key, on_click=_add_variant, args=arguments, disabled=is_full)


def _add_variant(preset: str, index: int) -> None:
    """Add a preset's variant, with the epochs and images on which the others agree, for a fair comparison."""
    apply_changes()
    st.session_state[PRESETS_MENU] = False
    state, variant = current_state(), PRESETS[preset].variants[index]
    common = _common_values(state, {*COMMON_FIELDS, *state.lesson.lock})
    st.session_state[FAULT] = try_change(
        state, lambda comparison: comparison.with_variant(replace(variant, spec=revise_spec(variant.spec, common)))
    )


def show_preset(preset: str) -> None:
    """Show a preset with its recorded seeds, except for the fields that are locked by a lesson."""
    apply_changes()
    st.session_state[PRESETS_MENU] = False
    forget_controls("")  # what was refused is replaced, too
    state, shown = current_state(), PRESETS[preset].recorded_comparison
    locked = _common_values(state, state.lesson.lock)
    st.session_state[FAULT] = try_change(state, lambda _: with_current_labels(shown, shown.with_changes(locked)))


def _common_values(state: PageState, fields: Iterable[str]) -> dict[str, Any]:
    """The values of those of `fields` on which all variants agree."""
    values = {field: {getattr(variant.spec, field) for variant in state.comparison.variants} for field in fields}
    return {field: field_values.pop() for field, field_values in values.items() if len(field_values) == 1}


def _render_differences(state: PageState) -> None:
    fields = differing_fields({variant.label: variant.spec for variant in state.comparison.variants})
    if fields:
        frame = pd.DataFrame(fields).T
        st.table(frame.rename(columns=escape_markdown).map(escape_markdown))
    else:
        st.write("No differences")
