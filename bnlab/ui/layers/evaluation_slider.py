"""The moment that is looked at: a slider over the moments of training, and a button that moves it by itself."""

import math
import time
from collections.abc import Callable, Sequence

import streamlit as st

from bnlab.charts.snapshots import step_text
from bnlab.specs.validation import parse_number

EVALUATION = "layers-moment"
"""The slider's key, and the parameter in which the address has its epoch; not of the latest, which follows training."""
LATEST = "layers-moment-latest"
MOVED_AT = "layers-moved-at"
"""When the moment last moved by itself; there while it plays."""
PLAYED = "layers-played"
"""The moment that is shown while it plays, and taken over by the slider afterwards."""
PLAYED_SLIDER = "layers-played-slider"
PLAY_SECONDS = 0.6


def render_with_slider(steps: Sequence[int], steps_per_epoch: int, draw: Callable[[float], None]) -> None:
    """Let one of `steps` be chosen and draw what `draw` shows of it, given as an epoch.

    While it plays, a fragment of its own moves from moment to moment. It is none otherwise, which ends its timer.
    """
    epochs = {step / steps_per_epoch: step_text(step, steps_per_epoch) for step in steps}
    if MOVED_AT in st.session_state:
        st.fragment(run_every=PLAY_SECONDS)(_play)(epochs, draw)
    else:
        with st.container():  # as a fragment has one: what is drawn keeps its place on the page
            _choose(epochs, draw)


def _choose(epochs: dict[float, str], draw: Callable[[float], None]) -> None:
    _settle(list(epochs))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Play", icon=":material/play_arrow:", key="layers-play", on_click=_begin, args=(list(epochs),))
        epoch = _slider(epochs, EVALUATION)
    _write(epoch, is_latest=epoch == list(epochs)[-1])
    draw(epoch)


def _play(epochs: dict[float, str], draw: Callable[[float], None]) -> None:
    """Go on to the next moment, if it is time, and draw it.

    Neither the slider nor what it holds takes part: what the browser says of it lags behind what is set here, and
    would look as if the reader had moved it. The one that is shown meanwhile cannot be moved.
    """
    moved_at, moments = st.session_state.get(MOVED_AT), list(epochs)
    if moved_at is None:  # a last tick of the timer
        st.rerun()
    position = _nearest(moments, st.session_state[PLAYED])
    if time.monotonic() - moved_at > PLAY_SECONDS / 2:  # not where something else than the timer brought us here
        position = min(position + 1, len(moments) - 1)
        st.session_state[MOVED_AT] = time.monotonic()
    st.session_state[PLAYED] = st.session_state[PLAYED_SLIDER] = moments[position]
    if position == len(moments) - 1:
        _end()
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Pause", icon=":material/pause:", key="layers-pause", on_click=_pause)
        _slider(epochs, PLAYED_SLIDER, disabled=True)
    draw(moments[position])


def _slider(epochs: dict[float, str], key: str, *, disabled: bool = False) -> float:
    return st.select_slider(
        "Moment of training",
        list(epochs),
        format_func=epochs.__getitem__,
        key=key,
        persist_state="session",
        disabled=disabled or len(epochs) == 1,
    )


def _begin(epochs: Sequence[float]) -> None:
    """Play from the chosen moment, or from the start if that is the last."""
    chosen = st.session_state[EVALUATION]
    st.session_state[PLAYED] = epochs[0] if chosen == epochs[-1] else chosen
    st.session_state[MOVED_AT] = time.monotonic()


def _end() -> None:
    st.session_state.pop(MOVED_AT, None)


def _pause() -> None:
    _end()
    st.rerun()  # of the page, since the fragment that plays cannot end itself


def _settle(epochs: Sequence[float]) -> None:
    """A moment that exists: the latest follows training, any other stays, or its nearest in other networks."""
    chosen, latest = st.session_state.get(EVALUATION, _read()), st.session_state.get(LATEST)
    if PLAYED in st.session_state:
        st.session_state[EVALUATION] = chosen = st.session_state.pop(PLAYED)
    settled = epochs[-1] if chosen is None or chosen == latest else epochs[_nearest(epochs, chosen)]
    if settled != st.session_state.get(EVALUATION):
        st.session_state[EVALUATION] = settled
    st.session_state[LATEST] = epochs[-1]


def _read() -> float | None:
    """The epoch that the address names, where it names one."""
    epoch = parse_number(st.query_params.get(EVALUATION, ""))
    return None if math.isnan(epoch) else epoch


def _write(epoch: float, *, is_latest: bool) -> None:
    # By hand: bound to the address, the slider would keep the words of a moment there, and be set by two at once.
    written = "" if is_latest else f"{epoch:.6g}"
    if written == st.query_params.get(EVALUATION, ""):
        return
    if written:
        st.query_params[EVALUATION] = written
    else:
        del st.query_params[EVALUATION]


def _nearest(epochs: Sequence[float], epoch: float) -> int:
    return min(range(len(epochs)), key=lambda position: abs(epochs[position] - epoch))
