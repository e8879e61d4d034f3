"""What workers measure of networks trained for a few steps: gradients and activations by depth."""

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
from bnlab.charts.layer_charts import Chart, Runs
from bnlab.runs.diagnostics import depth_profile, take_depth_profiles
from bnlab.runs.measurements import read_measurements, stored_measurements
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.live import wait_for
from bnlab.ui.live_chart import live_chart
from bnlab.ui.store_errors import callback
from bnlab.ui.worker_task import SharedTasks, error_sentence, render_error

STEPS = (0, 1, 10, 100)
MAX_STEPS = 1_000
EXTRA_STEP = "layers-xray-own"
MEASURE = "layers-measure"
"""Parameter and session key: whether the reader wants these measurements."""
REQUESTED = "layers-xray-requested"
"""Session key, present from the press of Measure until the next draw, which knows the networks and steps chosen."""
HEIGHT, PROGRESS_WIDTH = 300, 380
STEP_FACTOR = 6
"""A training step has three times the multiplications of a prediction (forward, and twice backward). The profile's
trainer computes each step twice."""
MAX_AUTOMATIC_PRODUCTS = 6e10
"""Multiplications for one network, some seconds of a worker's time. Larger measurements start with a button."""
DESCRIPTION = (
    "Gradients and activations by depth, on 128 training images in training mode. A worker trains each network again "
    "for that many steps, from its initial weights; your runs stay as they are. "
    "A unit is dead where its ReLU lets none of the images through; an output is saturated where a sigmoid or tanh is "
    "within 0.01 of an end. The covariate shift is how far a layer’s gradient moves, ‖G − G′‖ ÷ ‖G‖, because the "
    "layers before it take their step (Santurkar et al. 2018)."
)
LARGE = (
    "Press Measure to see the gradients and activations of these layers. The networks are large; measuring them may "
    "take a worker minutes."
)

Profile = tuple[str, int]
"""The digest of a network and the step at which it is measured."""


@dataclass(frozen=True)
class _Progress:
    """How many networks are measured, the digests of those that are not, and the errors."""

    done: int
    pending: set[str]
    not_submitted: set[str]
    errors: list[BaseException]


def render_depth_profile(store: Store, runs: Runs) -> None:
    """Draw the choice of steps and the profiles of the networks; small measurements are submitted at once."""
    st.caption(DESCRIPTION)
    steps = _choose_steps()
    if not steps:
        st.info("Choose at least one step.")
        return
    for run in runs:
        if _is_quick(run.spec, steps) and not _tasks().errors(_profiles([run.spec], steps)):
            _measure(store, [run.spec], steps)
    _render_profiles(store, runs, steps)


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
        extra = st.number_input(
            "Add a step",
            1,
            MAX_STEPS,
            value=None,
            placeholder=f"1 to {MAX_STEPS:,}",
            key=EXTRA_STEP,
            bind="query-params",
            width=160,
        )
    return tuple(sorted({int(step) for step in chosen} | ({extra} if extra else set())))


def _is_quick(spec: RunSpec, steps: tuple[int, ...]) -> bool:
    products_per_step = STEP_FACTOR * describe_network(spec).multiplications * spec.batch_size
    return products_per_step * max(steps) <= MAX_AUTOMATIC_PRODUCTS


def _render_profiles(store: Store, runs: Runs, steps: tuple[int, ...]) -> None:
    if st.session_state.pop(REQUESTED, False):
        _measure(store, _specs(runs), steps)
    progress = _progress(store, runs, steps)  # before the charts, which may then show more than it but never less
    _render_progress(store, runs, steps, progress)
    legend = [f"{mark.sign} {after_steps_text(step)}" for step, mark in step_marks(steps).items()]
    entries = [entry.replace(" ", "&nbsp;") for entry in [*legend, "(earlier steps are fainter)"]]
    st.markdown("&emsp; ".join(entries))
    charts = _charts(store, runs, steps, frozenset(_stored_profiles(store, _specs(runs), steps)))
    drawn = [chart for chart in charts if not chart.message]
    if empty := [chart.message for chart in charts if chart.message]:
        st.caption(" ".join(empty))
    for start in range(0, len(drawn), 2):
        for column, chart in zip(st.columns(2), drawn[start : start + 2], strict=False):
            with column, st.container(border=True):
                live_chart(chart.figure, key=f"layers-xray-{chart.name}", height=HEIGHT, alt=chart.alt)
                if chart.note:
                    st.caption(escape_markdown(chart.note))


def _render_progress(store: Store, runs: Runs, steps: tuple[int, ...], progress: _Progress) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if progress.errors or progress.not_submitted:
            label, icon = ("Try again", ":material/refresh:") if progress.errors else ("Measure", ":material/labs:")
            st.button(label, icon=icon, on_click=_request_measurement, key="layers-xray-measure")
        measured = f"{progress.done} of {len(runs)} network{'s' if len(runs) > 1 else ''} measured"
        text = escape_markdown(services.scheduler().problem if progress.pending else "") or measured
        st.progress(progress.done / len(runs), text=text, width=PROGRESS_WIDTH)
    if progress.not_submitted:
        st.info(LARGE, icon=":material/hourglass_top:")
    for error in {error_sentence(error): error for error in progress.errors}.values():
        render_error(error)


def _progress(store: Store, runs: Runs, steps: tuple[int, ...]) -> _Progress:
    profiles = _profiles(_specs(runs), steps)
    pending_tasks = _tasks().pending(profiles)
    for task in set(pending_tasks.values()):
        wait_for(task)
    submitted = {digest for digest, _ in pending_tasks}
    missing = set(profiles) - _stored_profiles(store, _specs(runs), steps)
    incomplete = {digest for digest, _ in missing}
    errors = {profile: error for profile, error in _tasks().errors(missing).items() if profile[0] not in submitted}
    pending = incomplete & submitted
    failed = {digest for digest, _ in errors}
    done = len({run.digest for run in runs} - incomplete)
    return _Progress(done, pending, incomplete - pending - failed, list(errors.values()))


@callback
def _request_measurement() -> None:
    st.session_state[REQUESTED] = True


def _measure(store: Store, specs: Sequence[RunSpec], steps: tuple[int, ...]) -> None:
    """Submit the profiles that are neither stored nor pending, one task for each network."""
    stored_profiles = _stored_profiles(store, specs, steps)
    for spec in specs:
        missing = [profile for profile in _profiles([spec], steps) if profile not in stored_profiles]
        _tasks().submit(missing, partial(_submit, store, spec))


def _submit(store: Store, spec: RunSpec, profiles: Sequence[Profile]) -> "Future[None]":
    return services.scheduler().submit(take_depth_profiles, store.url, spec, [step for _, step in profiles])


def _specs(runs: Runs) -> list[RunSpec]:
    return [run.spec for run in runs]


def _profiles(specs: Sequence[RunSpec], steps: tuple[int, ...]) -> list[Profile]:
    return [(spec.digest, step) for spec in specs for step in steps]


def _stored_profiles(store: Store, specs: Sequence[RunSpec], steps: tuple[int, ...]) -> set[Profile]:
    measurements = [depth_profile(spec, step) for spec in specs for step in steps]
    return {
        (measurement.spec.digest, measurement.arguments[0]) for measurement in stored_measurements(store, measurements)
    }


@lru_cache(maxsize=64)
def _charts(store: Store, runs: Runs, steps: tuple[int, ...], stored_profiles: frozenset[Profile]) -> tuple[Chart, ...]:
    """A chart of each quantity. `stored_profiles` makes the cache miss when there are new measurements."""
    tables = read_measurements(store, [depth_profile(run.spec, step) for run in runs for step in steps])
    tables_by_digest: dict[str, list[pd.DataFrame]] = {run.digest: [] for run in runs}
    for measurement, table in tables.items():
        tables_by_digest[measurement.spec.digest].append(table)
    styles, charts = {run.digest: run.style for run in runs}, []
    deepest = max(len(run.spec.hidden_units) for run in runs)
    for name in (name for name, quantity in QUANTITIES.items() if quantity.first <= deepest):
        frames = {digest: profile_frame(tables, name) for digest, tables in tables_by_digest.items()}
        figure = profile_figure(frames, name, styles, steps)
        charts.append(Chart(name, figure, profile_alt(frames, name, styles), gap_text(frames, name, styles)))
    return tuple(charts)


@st.cache_resource(show_spinner=False)
def _tasks() -> SharedTasks[Profile]:
    return SharedTasks()
