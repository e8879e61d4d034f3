"""The evidence of a trial: the figure of the deciding conditions, what it took, and the numbers."""

from dataclasses import dataclass
from functools import lru_cache

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from bnlab.charts.effects import FONT_SIZE, effect_text, effects_alt, effects_figure, effects_height
from bnlab.claims.formatting import amount, effort_text
from bnlab.claims.results import Trial, conditions_frame
from bnlab.ui.live_chart import live_chart

MAX_KEPT = 64
PROJECTED_TYPE = 18


@dataclass(frozen=True)
class _Chart:
    """A figure of some of a trial's conditions, ready to be drawn."""

    figure: go.Figure
    height: int
    alt: str


def render_evidence(trial: Trial, *, projector: bool) -> None:
    """Draw the deciding conditions and what they took; in expanders the supplementary ones, and the numbers."""
    deciding, supplementary = _charts(trial, PROJECTED_TYPE if projector else FONT_SIZE)
    name = trial.experiment.claim.id
    _render_chart(deciding, f"effects-{name}")
    st.caption(effort_text(trial))
    if trial.supplementary:
        with st.expander("Beside it, deciding nothing", icon=":material/add_chart:"):
            _render_chart(supplementary, f"beside-{name}")
    with st.expander("The numbers", icon=":material/table:"):
        st.dataframe(_numbers(trial), hide_index=True, key=f"numbers-{name}")


def _render_chart(chart: _Chart, key: str) -> None:
    live_chart(chart.figure, key=key, height=chart.height, alt=chart.alt)


@lru_cache(MAX_KEPT)
def _charts(trial: Trial, size: int) -> tuple[_Chart, _Chart]:
    """Of the deciding and the supplementary conditions. Cached, since all cards are redrawn whenever one changes."""
    frame = conditions_frame(trial)
    return _chart(frame[frame["decides"]], size), _chart(frame[~frame["decides"]], size)


def _chart(frame: pd.DataFrame, size: int) -> _Chart:
    return _Chart(effects_figure(frame, size), effects_height(frame, size), effects_alt(frame))


@lru_cache(MAX_KEPT)
def _numbers(trial: Trial) -> pd.DataFrame:
    frame = conditions_frame(trial)
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
