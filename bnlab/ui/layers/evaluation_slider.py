"""A slider over the evaluations of a run, with a button that plays through them."""

import math
from collections.abc import Sequence

import streamlit as st

from bnlab.charts.snapshots import step_text
from bnlab.live.layers import EVALUATION
from bnlab.specs.validation import parse_number
from bnlab.ui.layers.choices import set_query_parameter
from bnlab.ui.live import live_player, live_text

LATEST = math.inf
"""The slider's last value, which follows training. The URL has no epoch then."""
PLAY = "layers-play"


def choose_epoch(steps: Sequence[int], steps_per_epoch: int, *, is_active: bool) -> float | None:
    """Draw the slider over `steps` and return the chosen one as an epoch, None for the latest evaluation.

    Its key is the parameter in the URL. The evaluations are those of this rendering; later ones are the latest.
    """
    titles = {step / steps_per_epoch: step_text(step, steps_per_epoch) for step in steps[:-1]}
    titles[LATEST] = "latest" if is_active else step_text(steps[-1], steps_per_epoch)
    last = steps[-1] / steps_per_epoch
    _update_slider([*titles], last)
    with st.container(horizontal=True, vertical_alignment="bottom", key="layers-evaluation"):
        values = [f"{epoch:.6g}" for epoch in (*[*titles][:-1], last)]
        start = [*titles].index(st.session_state[EVALUATION])
        live_player(EVALUATION, values, start, on_stop=_select, key=PLAY)
        chosen = st.select_slider(
            "Moment of training",
            list(titles),
            format_func=titles.__getitem__,
            key=EVALUATION,
            persist_state="session",
            disabled=len(titles) == 1,
        )
        shown = step_text(steps[-1], steps_per_epoch) if chosen == LATEST else titles[chosen]
        live_text("moment", shown, key="layers-moment-text")
    set_query_parameter(EVALUATION, *() if chosen == LATEST else (f"{chosen:.6g}",))
    return None if chosen == LATEST else float(chosen)


def _update_slider(options: list[float], last: float) -> None:
    """Set the slider to an option: the one nearest to what was chosen before, at first to the URL's epoch."""
    chosen = st.session_state.get(EVALUATION, _epoch_in_url())
    epochs = [*options[:-1], last]
    nearest = min(range(len(epochs)), key=lambda index: abs(epochs[index] - min(chosen, last)))
    if options[nearest] != st.session_state.get(EVALUATION):
        st.session_state[EVALUATION] = options[nearest]


def _epoch_in_url() -> float:
    epoch = parse_number(st.query_params.get(EVALUATION, ""))
    return LATEST if math.isnan(epoch) else epoch


def _select(value: str) -> None:
    """Move the slider to where playing has ended."""
    st.session_state[EVALUATION] = float(value)
