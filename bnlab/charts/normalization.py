"""A batch-normalization layer's gamma, beta, moving mean and moving variance over training."""

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.style import Style, message_figure, plain_figure

VARIABLES = {
    "gamma": "gamma",
    "beta": "beta",
    "moving_mean": "moving mean",
    "moving_variance": "moving variance",
}
BAND = (5, 15, 50, 85, 95)
COLUMNS = tuple(f"p{p}" for p in BAND)


def normalization_frame(snapshots: pd.DataFrame, steps_per_epoch: int) -> pd.DataFrame:
    """Columns epoch, variable, p5 … p95: percentiles over the layer's units at each moment.

    `snapshots` has the columns step, variable, values (arrays), as `bnlab.runs.frames.snapshots_frame` makes it.
    """
    shown = snapshots[snapshots["variable"].isin(list(VARIABLES))]
    rows = [
        (step / steps_per_epoch, variable, *_percentiles(values))
        for step, variable, values in zip(shown["step"], shown["variable"], shown["values"], strict=True)
    ]
    return pd.DataFrame(rows, columns=["epoch", "variable", *COLUMNS])


def _percentiles(values: NDArray[np.float32]) -> list[float]:
    """NaN where the run has overflowed: there is nothing to draw."""
    return np.percentile(values, BAND).tolist() if np.isfinite(values).all() else [math.nan] * len(BAND)


def normalization_figure(frame: pd.DataFrame, variable: str, style: Style) -> go.Figure:
    """The median of one variable over the layer's units, with bands from 15 to 85 and from 5 to 95 percent."""
    title, own = VARIABLES[variable], frame[frame["variable"] == variable]
    if own.empty:
        return message_figure(title, "Nothing trained yet" if frame.empty else "Not learned here")
    layout = {
        "title": {"text": title},
        "showlegend": False,
        "hovermode": "x unified",
        "margin": {"l": 48, "r": 8, "t": 40, "b": 8},
        "xaxis": {"title": {"text": "epoch"}, "rangemode": "tozero", "hoverformat": ".2f"},
        "yaxis": {"nticks": 6},
    }
    return plain_figure(_bands(own, style), layout)


def _bands(own: pd.DataFrame, style: Style) -> list[dict[str, Any]]:
    invisible = {"width": 0, "color": style.colour}
    traces = []
    for low, high, opacity in ((5, 95, 0.18), (15, 85, 0.32)):
        traces.append(_percentile(own, low, f"{low} %", invisible))
        filled = {"fill": "tonexty", "fillcolor": style.fill(opacity)}
        traces.append(_percentile(own, high, f"{high} %", invisible) | filled)
    return [*traces, _percentile(own, 50, "median", {"color": style.colour, "width": 2.5})]


def _percentile(own: pd.DataFrame, percent: int, name: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": f"p{percent}",
        "name": name,
        "x": own["epoch"].to_numpy(np.float32),
        "y": own[f"p{percent}"].to_numpy(np.float32),
        "mode": "lines",
        "line": line,
        "hovertemplate": "%{y:.4g}",
    }


def normalization_alt(frame: pd.DataFrame, variable: str, layer: str) -> str:
    """Where the variable has got to, in a sentence."""
    own = frame[frame["variable"] == variable]
    title = f"{VARIABLES[variable]} of {layer}"
    if own.empty:
        return f"{title}: nothing to show."
    last = own.iloc[-1]
    return f"{title}: median over the units {last.p50:.3g}, 90 % of them between {last.p5:.3g} and {last.p95:.3g}."
