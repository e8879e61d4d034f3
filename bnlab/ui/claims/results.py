"""The results of a claim: the figure of the deciding conditions, the training cost and the numbers."""

from dataclasses import dataclass
from functools import lru_cache

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from bnlab.charts.effects import FONT_SIZE, effect_text, effects_alt, effects_figure, effects_height
from bnlab.claims.formatting import cost_text, format_value
from bnlab.claims.model import FULL, QUICK, plan_experiment
from bnlab.claims.recorded import recorded_results
from bnlab.claims.results import CachedResults, ExperimentResult, conditions_frame
from bnlab.ui.live_chart import encode_figure, live_chart

MAX_CACHED = 64
PROJECTOR_TYPE = 18
EMPTY = CachedResults(frozenset(), frozenset())


@dataclass(frozen=True)
class _Chart:
    """A figure of some conditions, with its height in pixels and its text alternative."""

    figure: go.Figure
    height: int
    alt: str


def preload() -> None:
    """Judge the recorded experiments and draw their results, which takes seconds, before a visitor asks for them."""
    for name, result in recorded_results().items():
        deciding, supplementary = _charts(result, FONT_SIZE)
        encode_figure(deciding.figure, f"effects-{name}")
        encode_figure(supplementary.figure, f"beside-{name}")
        _numbers(result)
        for size in (QUICK, FULL):
            EMPTY.coverage(plan_experiment(result.experiment.claim, size))


def render_results(result: ExperimentResult, *, projector: bool) -> None:
    """Draw the deciding conditions and the training cost; in expanders the supplementary conditions and the numbers."""
    deciding, supplementary = _charts(result, PROJECTOR_TYPE if projector else FONT_SIZE)
    name = result.experiment.claim.id
    _render_chart(deciding, f"effects-{name}")
    st.caption(cost_text(result))
    if result.supplementary:
        with st.expander("Beside it, deciding nothing", icon=":material/add_chart:"):
            _render_chart(supplementary, f"beside-{name}")
    with st.expander("The numbers", icon=":material/table:"):
        st.dataframe(_numbers(result), hide_index=True, key=f"numbers-{name}")


def _render_chart(chart: _Chart, key: str) -> None:
    live_chart(chart.figure, key=key, height=chart.height, alt=chart.alt)


@lru_cache(MAX_CACHED)
def _charts(result: ExperimentResult, size: int) -> tuple[_Chart, _Chart]:
    """The charts of the deciding and the supplementary conditions, cached because any change redraws all cards."""
    frame = conditions_frame(result)
    return _chart(frame[frame["decides"]], size), _chart(frame[~frame["decides"]], size)


def _chart(frame: pd.DataFrame, size: int) -> _Chart:
    return _Chart(effects_figure(frame, size), effects_height(frame, size), effects_alt(frame))


@lru_cache(MAX_CACHED)
def _numbers(result: ExperimentResult) -> pd.DataFrame:
    frame = conditions_frame(result)
    return pd.DataFrame(
        {
            "Condition": frame["condition"],
            "Control": [
                _arm_text(name, value) for name, value in zip(frame["control_name"], frame["control"], strict=True)
            ],
            "Treatment": [
                _arm_text(name, value) for name, value in zip(frame["treatment_name"], frame["treatment"], strict=True)
            ],
            "Difference (95 % interval)": [effect_text(row) for row in frame.to_dict("records")],
            "Counts from": frame["smallest_effect"],
            "Verdict": frame["words"].where(frame["decides"], frame["words"] + " (beside)"),
        }
    )


def _arm_text(name: str, value: float) -> str:
    return f"{name}: {format_value(value)}"
