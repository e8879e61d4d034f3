"""The evidence of a trial: the figure that decides it, its numbers, and what stands behind them."""

from dataclasses import dataclass
from functools import lru_cache

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from bnlab.charts.effects import TYPE, effect_text, effects_alt, effects_figure, effects_height
from bnlab.claims.amounts import amount
from bnlab.claims.frames import cells_frame
from bnlab.claims.trial import Trial
from bnlab.ui.live_chart import live_chart
from bnlab.ui.verdict_words import effort_words

MOST_KEPT = 64
PROJECTED_TYPE = 18


@dataclass(frozen=True)
class _Exhibit:
    """A figure of some of a trial's conditions, ready to be drawn."""

    figure: go.Figure
    height: int
    alt: str


def render_evidence(trial: Trial, *, projector: bool) -> None:
    """Draw the figure that decides and what it took; behind folds, what stands beside it, and the numbers."""
    deciding, beside = _exhibits(trial, PROJECTED_TYPE if projector else TYPE)
    name = trial.case.claim.id
    _render_exhibit(deciding, f"effects-{name}")
    st.caption(effort_words(trial))
    if trial.beside:
        with st.expander("Beside it, deciding nothing", icon=":material/add_chart:"):
            _render_exhibit(beside, f"beside-{name}")
    with st.expander("The numbers", icon=":material/table:"):
        st.dataframe(_numbers(trial), hide_index=True, key=f"numbers-{name}")


def _render_exhibit(exhibit: _Exhibit, key: str) -> None:
    live_chart(exhibit.figure, key=key, height=exhibit.height, alt=exhibit.alt)


@lru_cache(MOST_KEPT)
def _exhibits(trial: Trial, size: int) -> tuple[_Exhibit, _Exhibit]:
    """Of what decides and of what stands beside it. Made once a trial: all cards are drawn anew whenever one moves."""
    frame = cells_frame(trial)
    return _exhibit(frame[frame["decides"]], size), _exhibit(frame[~frame["decides"]], size)


def _exhibit(frame: pd.DataFrame, size: int) -> _Exhibit:
    return _Exhibit(effects_figure(frame, size), effects_height(frame, size), effects_alt(frame))


@lru_cache(MOST_KEPT)
def _numbers(trial: Trial) -> pd.DataFrame:
    frame = cells_frame(trial)
    return pd.DataFrame(
        {
            "Condition": frame["condition"],
            "Control": [_arm(name, value) for name, value in zip(frame["control_name"], frame["control"], strict=True)],
            "Treatment": [
                _arm(name, value) for name, value in zip(frame["treatment_name"], frame["treatment"], strict=True)
            ],
            "Difference (95 % interval)": [effect_text(row) for row in frame.to_dict("records")],
            "Counts from": frame["smallest_effect"],
            "Verdict": frame["words"].where(frame["decides"], frame["words"] + " (beside)"),
        }
    )


def _arm(name: str, value: float) -> str:
    return f"{name}: {amount(value)}"
