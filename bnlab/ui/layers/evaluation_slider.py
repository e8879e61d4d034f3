"""A slider over the evaluations of a run, with a Play button that advances it."""

import math
import time
from collections.abc import Callable, Sequence

import streamlit as st

from bnlab.charts.snapshots import step_text
from bnlab.specs.validation import parse_number
from bnlab.ui.layers.choices import set_query_parameter
from bnlab.ui.store_errors import fragment

EVALUATION = "layers-moment"
"""The slider's key, and the parameter in the URL with its epoch, which is left out for the latest evaluation."""
LATEST = "layers-moment-latest"
"""Session key of the latest evaluation's epoch: a slider that is there follows training."""
ADVANCED_AT = "layers-advanced-at"
"""Session key of the time of the last advance; present while playing."""
PLAYED = "layers-played"
"""Session key of the epoch shown while playing; the slider takes it over afterwards."""
PLAYED_SLIDER = "layers-played-slider"
PLAY_SECONDS = 0.6


def render_with_slider(steps: Sequence[int], steps_per_epoch: int, render: Callable[[float], None]) -> None:
    """Draw the slider over `steps`, and what `render` draws for the chosen one, given as an epoch.

    A fragment with a timer advances the slider while playing. Otherwise there is none, which ends the timer.
    """
    titles = {step / steps_per_epoch: step_text(step, steps_per_epoch) for step in steps}
    if ADVANCED_AT in st.session_state:
        fragment(_render_playing, PLAY_SECONDS)(titles, render)
    else:
        with st.container():  # as a fragment has one, so that the charts keep their positions in the element tree
            _render_paused(titles, render)


def _render_paused(titles: dict[float, str], render: Callable[[float], None]) -> None:
    epochs = list(titles)
    _update_slider(epochs)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Play", icon=":material/play_arrow:", key="layers-play", on_click=_start_playing)
        epoch = _render_slider(titles, EVALUATION)
    set_query_parameter(EVALUATION, *() if epoch == epochs[-1] else (f"{epoch:.6g}",))
    render(epoch)


def _render_playing(titles: dict[float, str], render: Callable[[float], None]) -> None:
    """Advance to the next evaluation if it is time, and draw it.

    Neither the usual slider nor its value is used: the browser's value lags behind the one set here, which would look
    like a move by the reader. The slider shown meanwhile is disabled.
    """
    advanced_at, epochs = st.session_state.get(ADVANCED_AT), list(titles)
    if advanced_at is None:  # one more tick of the timer after the end
        st.rerun()
    position = _nearest(epochs, st.session_state[PLAYED])
    if time.monotonic() - advanced_at > PLAY_SECONDS / 2:  # a tick of the timer, not another rerun
        position = min(position + 1, len(epochs) - 1)
        st.session_state[ADVANCED_AT] = time.monotonic()
    st.session_state[PLAYED] = st.session_state[PLAYED_SLIDER] = epochs[position]
    if position == len(epochs) - 1:
        _stop_playing()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Pause", icon=":material/pause:", key="layers-pause", on_click=_stop_playing)
        _render_slider(titles, PLAYED_SLIDER, disabled=True)
    render(epochs[position])


def _render_slider(titles: dict[float, str], key: str, *, disabled: bool = False) -> float:
    return st.select_slider(
        "Moment of training",
        list(titles),
        format_func=titles.__getitem__,
        key=key,
        persist_state="session",
        disabled=disabled or len(titles) == 1,
    )


def _start_playing() -> None:
    """Play from the chosen evaluation, or from the first one if the last is chosen."""
    chosen = st.session_state[EVALUATION]
    st.session_state[PLAYED] = 0.0 if chosen == st.session_state[LATEST] else chosen
    st.session_state[ADVANCED_AT] = time.monotonic()


def _stop_playing() -> None:
    st.session_state.pop(ADVANCED_AT, None)
    st.rerun()  # of the whole page, since a fragment cannot stop its timer


def _update_slider(epochs: Sequence[float]) -> None:
    """Set the slider to an existing epoch: the latest one if it was at the latest, else the nearest."""
    chosen, latest = st.session_state.get(EVALUATION, _epoch_in_url()), st.session_state.get(LATEST)
    if PLAYED in st.session_state:
        st.session_state[EVALUATION] = chosen = st.session_state.pop(PLAYED)
    epoch = epochs[-1] if chosen is None or chosen == latest else epochs[_nearest(epochs, chosen)]
    if epoch != st.session_state.get(EVALUATION):
        st.session_state[EVALUATION] = epoch
    st.session_state[LATEST] = epochs[-1]


def _epoch_in_url() -> float | None:
    epoch = parse_number(st.query_params.get(EVALUATION, ""))
    return None if math.isnan(epoch) else epoch


def _nearest(epochs: Sequence[float], epoch: float) -> int:
    """The index of the epoch closest to `epoch`."""
    return min(range(len(epochs)), key=lambda index: abs(epochs[index] - epoch))
