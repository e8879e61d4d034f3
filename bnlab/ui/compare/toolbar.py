"""What concerns all variants at once: train and stop, add one, epochs, images and seeds, and what differs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from bnlab.charts.formatting import escape_markdown
from bnlab.runs.run import Run
from bnlab.runs.scheduler import Scheduler
from bnlab.specs.comparison import MAX_VARIANTS, Comparison, Variant
from bnlab.specs.diff import differing_fields
from bnlab.specs.lesson import EVERYTHING
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec
from bnlab.ui.compare.curves import render_settings
from bnlab.ui.compare.form import PROPERTIES, field_value, render_whole_number, parse_integer
from bnlab.ui.state import PageState, try_change

FAULT = "toolbar_fault"
FOR_ALL = {"epochs": 130, "train_examples": 180}  # the controls' widths
Specs = Mapping[str, Sequence[RunSpec]]


def render_toolbar(lab: Scheduler, state: PageState, specs: Specs, runs: Mapping[str, Run]) -> None:
    """Draw the bar; `runs` maps the digests of those launched to their runs."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        if not state.lesson.hides("training"):
            _render_training(lab, specs, runs)
        if not state.lesson.hides("variants"):
            _render_adding(state)
            for field in FOR_ALL:
                _render_for_all(state, field)
            _render_seeds(state)
        _render_differences(state)
        if not state.lesson.hides("view"):
            with st.popover("View", icon=":material/ssid_chart:", key="view"):
                render_settings(state)
    if fault := st.session_state.pop(FAULT, ""):
        st.error(escape_markdown(fault), icon=":material/rule:")


def _render_training(lab: Scheduler, specs: Specs, runs: Mapping[str, Run]) -> None:
    active = [run for run in runs.values() if not run.state.is_finished()]
    waiting = {
        label: [s for s in own if s.digest not in runs or runs[s.digest].can_launch] for label, own in specs.items()
    }
    again = any(s.digest in runs and not runs[s.digest].recorded for own in waiting.values() for s in own)
    if any(waiting.values()) or active:
        st.button(
            "Continue" if again else "Train",
            icon=":material/play_arrow:",
            type="primary",
            disabled=not any(waiting.values()),
            on_click=_launch,
            args=(lab, waiting),
            shortcut="mod+enter",
            key="train",
        )
    else:
        st.button("Trained", icon=":material/check:", disabled=True, key="train")
    going = [run.digest for run in active if not run.stop_requested]
    stop, off = ":material/stop:", not going
    st.button("Stop all", icon=stop, disabled=off, on_click=lab.stop, args=(going,), key="stop_all")


def _launch(lab: Scheduler, waiting: Specs) -> None:
    lab.launch_runs([(spec, label) for label, specs in waiting.items() for spec in specs])


def _render_adding(state: PageState) -> None:
    full, locked = len(state.comparison.variants) >= MAX_VARIANTS, state.lesson.locks(EVERYTHING)
    with st.popover("Variants", icon=":material/add:", key="adding", disabled=locked):
        for name, preset in PRESETS.items():
            st.markdown(f"**{preset.title}**  \n{preset.description}")
            with st.container(horizontal=True):
                all_of_it = (state, preset.comparison)
                st.button("Show these", key=f"show-{name}", type="primary", on_click=_show, args=all_of_it)
                for place, variant in enumerate(preset.variants):
                    key = f"add-{name}-{place}"
                    st.button(f"+ {variant.label}", key=key, on_click=_add, args=(state, variant), disabled=full)


def _add(state: PageState, variant: Variant) -> None:
    """It is trained as long and on as much as the others, where they agree: or the comparison would not be fair."""
    common = _common(state, {*FOR_ALL, *state.lesson.lock})
    _try(state, lambda c: c.added(replace(variant, spec=revise_spec(variant.spec, common))))


def _show(state: PageState, comparison: Comparison) -> None:
    """What a lesson locks stays as it is."""
    _try(state, lambda _: comparison.revised(_common(state, state.lesson.lock)))


def _common(state: PageState, fields: Iterable[str]) -> dict[str, Any]:
    """Those of the fields in which the variants agree, with their value."""
    given = {field: {getattr(own.spec, field) for own in state.comparison.variants} for field in fields}
    return {field: values.pop() for field, values in given.items() if len(values) == 1}


def _render_for_all(state: PageState, field: str) -> None:
    """One field of all variants: empty and marked as mixed where they differ."""
    values = {getattr(variant.spec, field) for variant in state.comparison.variants}
    key = f"all-{field}"
    st.session_state[key] = values.pop() if len(values) == 1 else None
    mixed = {"placeholder": "mixed"} if values else {}
    render_whole_number(
        field,
        help=f"{PROPERTIES[field]['description']} For all variants.",
        disabled=state.lesson.locks(field),
        key=key,
        on_change=_set_for_all,
        args=(state, field, key),
        width=FOR_ALL[field],
        **mixed,
    )


def _set_for_all(state: PageState, field: str, key: str) -> None:
    _try(state, lambda c: c.revised({field: field_value(field, st.session_state[key])}))


def _render_seeds(state: PageState) -> None:
    key = "seeds"
    st.session_state[key] = float(state.comparison.seeds)
    st.number_input(
        "Seeds",
        step=1.0,
        format="%g",
        help="How often each variant is trained, each time from other initial weights; curves show mean and spread.",
        key=key,
        disabled=state.lesson.locks(EVERYTHING),
        on_change=lambda: _try(state, lambda c: c.repeated(parse_integer(st.session_state[key]))),
        width=115,
    )


def _render_differences(state: PageState) -> None:
    with st.popover("What differs", icon=":material/difference:", key="differences-of"):
        differing = differing_fields({v.label: v.spec for v in state.comparison.variants})
        if differing:
            st.table(pd.DataFrame(differing).T)
        else:
            st.write("Nothing: these variants are all the same.")


def _try(state: PageState, change: Callable[[Comparison], Comparison]) -> None:
    if fault := try_change(state, change):
        st.session_state[FAULT] = fault
