"""The choice of an evaluation, by a slider that the event stream extends while a run trains."""

import math
from collections.abc import Sequence

import streamlit as st

from bnlab.live.layers import EVALUATION
from bnlab.specs.validation import parse_number
from bnlab.ui.layers.choices import set_query_parameter
from bnlab.ui.live import live_slider

LATEST = math.inf
"""In the session's state the chosen epoch for the last evaluation, which follows training. The URL has none then."""
SLIDER = "layers-evaluation"


def choose_epoch(steps: Sequence[int], steps_per_epoch: int) -> float | None:
    """Draw the slider over `steps` and return the chosen one as an epoch, None for the latest evaluation.

    The session's state has it under the parameter in the URL.
    """
    chosen = st.session_state.get(EVALUATION, _epoch_in_url()) * steps_per_epoch
    nearest = min(steps, key=lambda step: abs(min(chosen, steps[-1]) - step))
    epoch = None if nearest == steps[-1] else nearest / steps_per_epoch
    st.session_state[EVALUATION] = LATEST if epoch is None else epoch
    text = "" if epoch is None else f"{epoch:.6g}"
    set_query_parameter(EVALUATION, *filter(None, [text]))
    live_slider("evaluations", EVALUATION, steps, steps_per_epoch, text, on_choose=_choose, key=SLIDER)
    return epoch


def _epoch_in_url() -> float:
    epoch = parse_number(st.query_params.get(EVALUATION, ""))
    return LATEST if math.isnan(epoch) else epoch


def _choose(text: str) -> None:
    epoch = parse_number(text)
    st.session_state[EVALUATION] = epoch if math.isfinite(epoch) else LATEST
