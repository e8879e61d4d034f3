"""The Layers page's X-ray: networks trained anew for some steps by a worker, and looked into layer by layer."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache, partial

import pandas as pd
import streamlit as st

from bnlab.charts.depth_profile import (
    QUANTITIES,
    after_steps_text,
    gap_text,
    profile_alt,
    profile_figure,
    profile_frame,
    step_marks,
)
from bnlab.charts.formatting import escape_markdown
from bnlab.charts.layer_charts import Chart, Runs, ShownRun
from bnlab.runs.diagnostics import depth_profile, take_depth_profiles
from bnlab.runs.measurements import read_measurements, stored
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.live_chart import live_chart
from bnlab.ui.worker_task import SharedTasks, error_sentence, render_error, watch

STEPS = (0, 1, 10, 100)
MAX_STEPS = 1_000
OWN_STEP = "layers-xray-own"
HEIGHT, PROGRESS_WIDTH = 300, 380
PRODUCTS_A_STEP = 6
"""A training step multiplies three times as often as a prediction: forwards, and twice backwards; it is taken twice."""
MAX_PRODUCTS_UNASKED = 6e10
"""Of one network, some seconds of a worker's time; what takes longer waits for the button."""
WHAT_IT_IS = (
    "How gradients and activations fare from layer to layer, on 128 training images in training mode. A worker trains "
    "each network anew for that many steps, from its initial weights; your runs stay as they are. "
    "A unit is dead where its ReLU lets none of the images through; an output is saturated where a sigmoid or tanh is "
    "within 0.01 of an end. The covariate shift is how far a layer’s gradient moves, ‖G − G′‖ ÷ ‖G‖, because the "
    "layers before it take their step (Santurkar et al. 2018)."
)
LARGE = (
    "Press Measure to see the gradients and activations of these layers. The networks are large, and so many steps may "
    "take a worker minutes."
)

Profile = tuple[str, int]
"""The digest of a network and the step after which it is measured."""


@dataclass(frozen=True)
class _Progress:
    """How far the measurements are, by network: whose are all there, pending, failed, or not asked for."""

    done: int
    pending: set[str]
    unasked: set[str]
    errors: list[BaseException]


def render_xray(store: Store, runs: Runs) -> None:
    """Let steps be chosen, have them measured, and draw what is known; trained or not is all the same."""
    st.caption(WHAT_IT_IS)
    steps = _choose_steps()
    if not steps:
        st.info("Choose at least one step.")
        return
    for run in runs:
        if _is_quick(run.spec, steps) and not _tasks().errors(_profiles([run], steps)):
            _measure(store, [run], steps)
    profiles = _profiles(runs, steps)
    watch(lambda: bool(_tasks().pending(profiles)), lambda: _render_profiles(store, runs, steps))


def _is_quick(spec: RunSpec, steps: tuple[int, ...]) -> bool:
    """Whether to measure it is a matter of seconds."""
    products = PRODUCTS_A_STEP * describe_network(spec).products * spec.batch_size
    return products * max(steps) <= MAX_PRODUCTS_UNASKED


def _choose_steps() -> tuple[int, ...]:
    with st.container(horizontal=True, vertical_alignment="top"):
        chosen = st.pills(
            "Steps of training",
            [str(step) for step in STEPS],
            selection_mode="multi",
            default=[str(step) for step in STEPS],
            key="layers-xray-steps",
            bind="query-params",
        )
        own = st.number_input(
            "Another step",
            1,
            MAX_STEPS,
            value=None,
            placeholder=f"1 to {MAX_STEPS:,}",
            key=OWN_STEP,
            bind="query-params",
            width=160,
        )
    return tuple(sorted({int(step) for step in chosen} | ({own} if own else set())))


def _render_profiles(store: Store, runs: Runs, steps: tuple[int, ...]) -> None:
    progress = _progress(store, runs, steps)  # before what is stored is read: what is done since then is drawn as well
    _render_progress(store, runs, steps, progress)
    signs = [f"{mark.sign} {after_steps_text(step)}" for step, mark in step_marks(steps).items()]
    st.markdown("&emsp; ".join(words.replace(" ", "&nbsp;") for words in [*signs, "(the earlier, the fainter)"]))
    charts = _charts(store, runs, steps, frozenset(_stored(store, runs, steps)))
    for start in range(0, len(charts), 2):
        for place, chart in zip(st.columns(2), charts[start : start + 2], strict=True):
            with place, st.container(border=True):
                live_chart(chart.figure, key=f"layers-xray-{chart.name}", height=HEIGHT, alt=chart.alt)
                if chart.note:
                    st.caption(escape_markdown(chart.note))


def _render_progress(store: Store, runs: Runs, steps: tuple[int, ...], progress: _Progress) -> None:
    """How far the workers are, with a button where one is to be pressed; below, what went wrong."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if progress.errors or progress.unasked:
            name, icon = ("Try again", ":material/refresh:") if progress.errors else ("Measure", ":material/labs:")
            st.button(name, icon=icon, on_click=_measure, args=(store, runs, steps), key="layers-xray-measure")
        measured = f"{progress.done} of {len(runs)} network{'s' if len(runs) > 1 else ''} measured"
        text = (services.lab().problem if progress.pending else "") or measured
        st.progress(progress.done / len(runs), text=text, width=PROGRESS_WIDTH)
    if progress.unasked:
        st.info(LARGE, icon=":material/hourglass_top:")
    for error in {error_sentence(error): error for error in progress.errors}.values():
        render_error(error)


def _progress(store: Store, runs: Runs, steps: tuple[int, ...]) -> _Progress:
    profiles = _profiles(runs, steps)
    waiting = {digest for digest, _ in _tasks().pending(profiles)}
    missing = set(profiles) - _stored(store, runs, steps)
    errors = {key: error for key, error in _tasks().errors(missing).items() if key[0] not in waiting}
    pending = {digest for digest, _ in missing} & waiting
    failed = {digest for digest, _ in errors}
    unasked = {digest for digest, _ in missing} - pending - failed
    digests = {run.digest for run in runs}
    return _Progress(len(digests - {digest for digest, _ in missing}), pending, unasked, list(errors.values()))


def _measure(store: Store, runs: Sequence[ShownRun], steps: tuple[int, ...]) -> None:
    """Have measured what is neither stored nor on its way."""
    stored = _stored(store, runs, steps)
    for run in runs:
        missing = [profile for profile in _profiles([run], steps) if profile not in stored]
        _tasks().submit(missing, partial(_submit, store, run.spec))


def _submit(store: Store, spec: RunSpec, profiles: Sequence[Profile]) -> "Future[None]":
    return services.lab().submit(take_depth_profiles, store.url, spec, [step for _, step in profiles])


def _profiles(runs: Sequence[ShownRun], steps: tuple[int, ...]) -> list[Profile]:
    return [(run.digest, step) for run in runs for step in steps]


def _stored(store: Store, runs: Sequence[ShownRun], steps: tuple[int, ...]) -> set[Profile]:
    """What the store has already."""
    measurements = [depth_profile(run.spec, step) for run in runs for step in steps]
    return {(measurement.spec.digest, measurement.arguments[0]) for measurement in stored(store, measurements)}


@lru_cache(maxsize=64)
def _charts(store: Store, runs: Runs, steps: tuple[int, ...], known: frozenset[Profile]) -> tuple[Chart, ...]:
    """The charts of what is `known`."""
    tables = read_measurements(store, [depth_profile(run.spec, step) for run in runs for step in steps])
    measured: dict[str, list[pd.DataFrame]] = {run.digest: [] for run in runs}
    for measurement, table in tables.items():
        measured[measurement.spec.digest].append(table)
    styles, charts = {run.digest: run.style for run in runs}, []
    deepest = max(len(run.spec.hidden_units) for run in runs)
    for name in (name for name, quantity in QUANTITIES.items() if quantity.first <= deepest):
        frames = {digest: profile_frame(own, name) for digest, own in measured.items()}
        figure = profile_figure(frames, name, styles, steps)
        charts.append(Chart(name, figure, profile_alt(frames, name, styles), gap_text(frames, name, styles)))
    return tuple(charts)


@st.cache_resource(show_spinner=False)
def _tasks() -> SharedTasks[Profile]:
    return SharedTasks()
