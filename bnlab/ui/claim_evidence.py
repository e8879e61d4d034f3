"""The evidence of a trial: the figure that decides it, its numbers, and what stands behind them."""

from dataclasses import dataclass
from functools import lru_cache

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from bnlab.charts.effects import effect_text, effects_alt, effects_figure, effects_height
from bnlab.claims.amounts import amount
from bnlab.claims.frames import cells_frame
from bnlab.claims.trial import Trial
from bnlab.ui.live_chart import live_chart
from bnlab.ui.verdict_words import effort_words

MOST_KEPT = 64


@dataclass(frozen=True)
class _Exhibit:
    """A trial's figure and the table of its numbers, ready to be drawn."""

    figure: go.Figure
    height: int
    alt: str
    numbers: pd.DataFrame


def render_evidence(trial: Trial) -> None:
    """Draw the figure, what it took, and the numbers behind a fold."""
    exhibit, name = _exhibit(trial), trial.case.claim.id
    live_chart(exhibit.figure, key=f"effects-{name}", height=exhibit.height, alt=exhibit.alt)
    st.caption(effort_words(trial))
    with st.expander("The numbers", icon=":material/table:"):
        st.dataframe(exhibit.numbers, hide_index=True, key=f"numbers-{name}")
        if trial.beside:
            st.caption("What is marked “beside” was measured with the rest and decides nothing.")


@lru_cache(MOST_KEPT)
def _exhibit(trial: Trial) -> _Exhibit:
    """Made once a trial: all cards are drawn anew whenever one of them begins or ends to move."""
    frame = cells_frame(trial)
    return _Exhibit(effects_figure(frame), effects_height(frame), effects_alt(frame), _numbers(frame))


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Condition": frame["condition"],
            "Control": [_arm(name, value) for name, value in zip(frame["control_name"], frame["control"], strict=True)],
            "Treatment": [
                _arm(name, value) for name, value in zip(frame["treatment_name"], frame["treatment"], strict=True)
            ],
            "Difference (95 % interval)": [effect_text(row) for row in frame.to_dict("records")],
            "Counts from": frame["smallest_effect"],
            "Verdict": frame["verdict"].where(frame["decides"], frame["verdict"] + " (beside)"),
        }
    )


def _arm(name: str, value: float) -> str:
    return f"{name}: {amount(value)}"
