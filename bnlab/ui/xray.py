"""The Layers page's X-ray: networks trained anew for some steps by a worker, and looked into layer by layer."""

import itertools
from functools import lru_cache

import pandas as pd
import streamlit as st

from bnlab.charts.xray import QUANTITIES, depth_values_frame, gap_words, marks_of, step_words, xray_alt, xray_figure
from bnlab.runs.store import Store
from bnlab.spec.network import describe_network
from bnlab.spec.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.layer_charts import Chart, Runs, ShownRun
from bnlab.ui.live_chart import live_chart
from bnlab.ui.words import plain
from bnlab.ui.xray_answers import Answer, XrayAnswers

STEPS = (0, 1, 10, 100)
MOST_STEPS = 1_000
OWN_STEP = "layers-xray-own"
POLL_SECONDS = 0.5
HEIGHT, PROGRESS_WIDTH = 300, 380
PRODUCTS_A_STEP = 6
"""A training step multiplies three times as often as a prediction: forwards, and twice backwards; it is taken twice."""
MOST_PRODUCTS_UNASKED = 6e10
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

Found = tuple[tuple[str, Answer | None], ...]


def render_xray(_store: Store, runs: Runs) -> None:
    """Let steps be chosen, have them measured, and draw what is known; trained or not is all the same."""
    st.caption(WHAT_IT_IS)
    steps = _choose_steps()
    if not steps:
        st.info("Choose at least one step.")
        return
    _ask(tuple(run for run in runs if _is_quick(run.spec, steps) and not _has_failed(run, steps)), steps)
    waiting = bool(_unanswered(_found(runs, steps)))
    st.fragment(run_every=POLL_SECONDS if waiting else None)(_render_answers)(runs, steps, waiting)


def _is_quick(spec: RunSpec, steps: tuple[int, ...]) -> bool:
    """Whether to measure it is a matter of seconds."""
    products = PRODUCTS_A_STEP * describe_network(spec).products * spec.batch_size
    return products * max(steps) <= MOST_PRODUCTS_UNASKED


def _has_failed(run: ShownRun, steps: tuple[int, ...]) -> bool:
    """Whether it should not be tried again before somebody says so."""
    return any(_error(answer) is not None for _, answer in _found((run,), steps))


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
            MOST_STEPS,
            value=None,
            placeholder=f"1 to {MOST_STEPS:,}",
            key=OWN_STEP,
            bind="query-params",
            width=160,
        )
    return tuple(sorted({int(step) for step in chosen} | ({own} if own else set())))


def _render_answers(runs: Runs, steps: tuple[int, ...], waiting: bool) -> None:
    found = _found(runs, steps)
    if waiting and not _unanswered(found):
        st.rerun()  # stop polling
    _render_state(runs, steps, found)
    signs = [f"{mark.sign} {step_words(step)}" for step, mark in marks_of(steps).items()]
    st.markdown("&emsp; ".join(words.replace(" ", "&nbsp;") for words in [*signs, "(the earlier, the fainter)"]))
    charts = _charts(runs, steps, tuple(answer if _is_good(answer) else None for _, answer in found))
    for start in range(0, len(charts), 2):
        for place, chart in zip(st.columns(2), charts[start : start + 2], strict=True):
            with place, st.container(border=True):
                live_chart(chart.figure, key=f"layers-xray-{chart.name}", height=HEIGHT, alt=chart.alt)
                if chart.note:
                    st.caption(plain(chart.note))


def _render_state(runs: Runs, steps: tuple[int, ...], found: Found) -> None:
    """How far the workers are, with a button where one is to be pressed; below, what went wrong."""
    unanswered = _unanswered(found)
    unasked = {digest for digest, answer in found if answer is None} - unanswered
    failed = {digest for digest, answer in found if _error(answer) is not None} - unanswered
    with st.container(horizontal=True, vertical_alignment="center"):
        if failed or unasked:
            name, icon = ("Try again", ":material/refresh:") if failed else ("Measure", ":material/labs:")
            st.button(name, icon=icon, on_click=_ask, args=(runs, steps), key="layers-xray-measure")
        done = len(runs) - len(unanswered | unasked | failed)
        said = f"{done} of {len(runs)} network{'s' if len(runs) > 1 else ''} measured"
        text = (services.lab().problem if unanswered else "") or said
        st.progress(done / len(runs), text=text, width=PROGRESS_WIDTH)
    if unasked:
        st.info(LARGE, icon=":material/hourglass_top:")
    for sentence in sorted({_sentence(error) for _, answer in found if (error := _error(answer)) is not None}):
        st.error(plain(sentence), icon=":material/error:")


def _ask(runs: Runs, steps: tuple[int, ...]) -> None:
    for run in runs:
        _answers().ask(services.lab(), run.spec, steps)


def _found(runs: Runs, steps: tuple[int, ...]) -> Found:
    """Each network's digest and its answer for each step, network by network."""
    return tuple((run.digest, _answers().of(run.spec, step)) for run in runs for step in steps)


def _unanswered(found: Found) -> set[str]:
    """The networks that a worker still looks into."""
    return {digest for digest, answer in found if answer is not None and not answer.done()}


def _is_good(answer: Answer | None) -> bool:
    return answer is not None and answer.done() and answer.exception() is None


def _error(answer: Answer | None) -> BaseException | None:
    return answer.exception() if answer is not None and answer.done() else None


def _sentence(error: BaseException) -> str:
    """Our own errors say for themselves what is wrong; anything else is in the task's error."""
    cause = error.__cause__
    return str(cause if type(cause).__module__.startswith("bnlab.") else error)


@lru_cache(maxsize=64)
def _charts(runs: Runs, steps: tuple[int, ...], answers: tuple[Answer | None, ...]) -> tuple[Chart, ...]:
    """The charts of what is known; `answers` are each network's for each step, those that are there."""
    measured: dict[str, list[pd.DataFrame]] = {run.digest: [] for run in runs}
    for (run, step), answer in zip(itertools.product(runs, steps), answers, strict=True):
        if answer is not None:
            frame = answer.result()
            measured[run.digest].append(frame[frame["step"] == step])
    styles, charts = {run.digest: run.style for run in runs}, []
    deepest = max(len(run.spec.hidden_units) for run in runs)
    for name in (name for name, quantity in QUANTITIES.items() if quantity.first <= deepest):
        frames = {digest: depth_values_frame(own, name) for digest, own in measured.items()}
        figure = xray_figure(frames, name, styles, steps)
        charts.append(Chart(name, figure, xray_alt(frames, name, styles), gap_words(frames, name, styles)))
    return tuple(charts)


@st.cache_resource(show_spinner=False)
def _answers() -> XrayAnswers:
    return XrayAnswers()
