"""Controls of all variants at once: train and stop, add variants, epochs, images and seeds, and what differs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.elements.lib.mutable_popover_container import PopoverContainer

from bnlab.charts.formatting import escape_markdown
from bnlab.specs.comparison import MAX_VARIANTS
from bnlab.specs.diff import differing_fields
from bnlab.specs.lesson import ALL_FIELDS
from bnlab.specs.presets import PRESETS
from bnlab.specs.validation import revise_spec
from bnlab.ui import services
from bnlab.ui.compare.cards import RunsByDigest, SpecsByLabel
from bnlab.ui.compare.curves import render_settings
from bnlab.ui.compare.form import PROPERTIES, field_value, parse_integer, render_whole_number, whole_number_value
from bnlab.ui.components import COMPARE, launch_variants
from bnlab.ui.controls import FAULT, apply_changes, bind, fault, forget_controls
from bnlab.ui.launching import forget_pending, pending_at, render_confirmation
from bnlab.ui.state import PageState, current_state, try_change
from bnlab.ui.store_errors import callback
from bnlab.ui.visitor import Rights, stopping_visitor

SEEDS = "seeds"
COMMON_MENU, VIEW_MENU = "common", "view"
COMMON_FIELDS = ("epochs", "train_examples")
"""Fields set for all variants at once."""


def render_toolbar(state: PageState, specs: SpecsByLabel, runs: RunsByDigest, rights: Rights) -> None:
    """Draw the toolbar, one row at any width, and below it the errors of its controls and of the last button."""
    with st.container(horizontal=True, gap="xsmall", wrap=False, key="toolbar"):
        if not state.lesson.hides("training"):
            _render_training(specs, runs, rights)
        if not state.lesson.hides("variants"):
            _render_presets(state)
            menu = _menu(_settings_text(state), ":material/tune:", COMMON_MENU)
            if menu.open:
                with menu:
                    for field in COMMON_FIELDS:
                        _render_common_field(state, field)
                    _render_seeds(state)
        with st.popover("What differs", icon=":material/difference:", key="what-differs"):
            _render_differences(state)
        if not state.lesson.hides("view"):
            menu = _menu("View", ":material/ssid_chart:", VIEW_MENU)
            if menu.open:
                with menu:
                    render_settings(state)
    _render_faults()
    if not state.lesson.hides("training"):
        _render_confirmation(specs, runs)


def _render_faults() -> None:
    faults = [st.session_state.get(FAULT, ""), *(fault(key) for key in (*map(_common_key, COMMON_FIELDS), SEEDS))]
    for text in dict.fromkeys(filter(None, faults)):
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


def _render_training(specs: SpecsByLabel, runs: RunsByDigest, rights: Rights) -> None:
    active = [run for run in runs.values() if not run.state.is_finished()]
    launchable = [
        (spec, label)
        for label, variant_specs in specs.items()
        for spec in variant_specs
        if rights.may_launch(runs.get(spec.digest))
    ]
    is_continued = any(spec.digest in runs and runs[spec.digest].state.can_continue() for spec, _ in launchable)
    if launchable:
        text, icon = "Continue" if is_continued else "Train", "play_arrow"
    else:
        text, icon = ("Training", "hourglass_top") if active else ("Trained", "check")
    stoppable = [run.digest for run in active if not run.stop_requested and rights.may_stop(run)]
    # Neither is ever disabled. Streamlit drops a press of what is disabled since it last ran the script, which the
    # reader has not seen yet; and what was entered just before the press may have given the button something to do.
    st.button(
        text,
        icon=f":material/{icon}:",
        type="primary" if launchable else "secondary",
        on_click=launch_variants,
        shortcut=None if pending_at(COMPARE) else "mod+enter",
        key="train",
    )
    st.button("Stop all", icon=":material/stop:", on_click=_stop_all, args=(stoppable,), key="stop_all")
    idle = [key for key, has_effect in (("train", launchable), ("stop_all", stoppable)) if not has_effect]
    if idle:
        buttons = ", ".join(f".st-key-{key} button" for key in idle)
        st.html(f"<style>{buttons} {{ opacity: 0.65; }}</style>")


@callback
def _stop_all(digests: Sequence[str]) -> None:
    """Stop the runs that were shown as active, and those that the page's comparison has had since."""
    comparison = current_state().comparison
    shown = [spec.digest for variant_specs in comparison.specs().values() for spec in variant_specs]
    services.scheduler().stop({*digests, *shown}, stopping_visitor())


def _render_presets(state: PageState) -> None:
    is_full, is_locked = len(state.comparison.variants) >= MAX_VARIANTS, state.lesson.locks(ALL_FIELDS)
    with st.popover("Compare…", icon=":material/add:", key="presets", disabled=is_locked):
        for name, preset in PRESETS.items():
            st.markdown(f"**{preset.title}**  \n{preset.description}")
            with st.container(horizontal=True):
                st.button(
                    "Show these",
                    key=f"show-{name}",
                    type="primary",
                    on_click=show_preset,
                    args=(name,),
                )
                for index, variant in enumerate(preset.variants):
                    key = f"add-{name}-{index}"
                    arguments = (name, index)
                    text = f"+ {escape_markdown(variant.label)}"
                    st.button(text, key=key, on_click=_add_variant, args=arguments, disabled=is_full)


def _add_variant(preset: str, index: int) -> None:
    """Add a preset's variant, with the epochs and images on which the others agree, for a fair comparison."""
    apply_changes()
    state, variant = current_state(), PRESETS[preset].variants[index]
    common = _common_values(state, {*COMMON_FIELDS, *state.lesson.lock})
    st.session_state[FAULT] = try_change(
        state, lambda comparison: comparison.with_variant(replace(variant, spec=revise_spec(variant.spec, common)))
    )


def show_preset(preset: str) -> None:
    """Show a preset with its recorded seeds, except for the fields that are locked by a lesson."""
    apply_changes()
    forget_controls("")  # what was refused is replaced, too
    state, shown = current_state(), PRESETS[preset].recorded_comparison
    locked = _common_values(state, state.lesson.lock)
    st.session_state[FAULT] = try_change(state, lambda _: shown.with_changes(locked))


def _common_values(state: PageState, fields: Iterable[str]) -> dict[str, Any]:
    """The values of those of `fields` on which all variants agree."""
    values = {field: {getattr(variant.spec, field) for variant in state.comparison.variants} for field in fields}
    return {field: field_values.pop() for field, field_values in values.items() if len(field_values) == 1}


def _render_common_field(state: PageState, field: str) -> None:
    """Draw the control that sets a field of all variants; empty where they differ."""
    values = {getattr(variant.spec, field) for variant in state.comparison.variants}
    is_mixed = len(values) > 1
    value = None if is_mixed else whole_number_value(values.pop())
    placeholder = {"placeholder": "mixed"} if is_mixed else {}
    render_whole_number(
        field,
        help=f"{PROPERTIES[field]['description']} For all variants.",
        disabled=state.lesson.locks(field),
        **placeholder,
        **bind(_common_key(field), value, _set_common_field, field),
    )


def _settings_text(state: PageState) -> str:
    """The epochs and seeds of all variants, as "10 epochs · 3 seeds"."""
    epochs = {variant.spec.epochs for variant in state.comparison.variants}
    number = f"{epochs.pop():,}" if len(epochs) == 1 else "Mixed"
    seeds = state.comparison.seeds
    return f"{number} epoch{'' if number == '1' else 's'} · {seeds} seed{'' if seeds == 1 else 's'}"


def _common_key(field: str) -> str:
    return f"all-{field}"


def _set_common_field(field: str, entered: Any) -> str:
    return try_change(current_state(), lambda c: c.with_changes({field: field_value(field, entered)}))


def _render_seeds(state: PageState) -> None:
    st.number_input(
        "Seeds",
        step=1.0,
        format="%g",
        help="Runs per variant, each with its own seed; curves show mean and spread.",
        disabled=state.lesson.locks(ALL_FIELDS),
        **bind(SEEDS, whole_number_value(state.comparison.seeds), _set_seeds),
    )


def _set_seeds(entered: Any) -> str:
    return try_change(current_state(), lambda comparison: comparison.with_seeds(parse_integer(entered)))


def _render_differences(state: PageState) -> None:
    fields = differing_fields({variant.label: variant.spec for variant in state.comparison.variants})
    if fields:
        frame = pd.DataFrame(fields).T
        st.table(frame.rename(columns=escape_markdown))
    else:
        st.write("No differences")
