"""A batch-normalization layer's gamma, beta, moving mean and moving variance over training."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from bnlab.charts.style import Style, message_figure

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
        (step / steps_per_epoch, variable, *np.percentile(values, BAND).tolist())
        for step, variable, values in zip(shown["step"], shown["variable"], shown["values"], strict=True)
    ]
    return pd.DataFrame(rows, columns=["epoch", "variable", *COLUMNS])


def normalization_figure(frame: pd.DataFrame, style: Style, title: str) -> go.Figure:
    """Four charts in a row: the median over the units, with bands from 15 to 85 and from 5 to 95 percent."""
    if frame.empty:
        return message_figure(title, "Nothing trained yet")
    figure = make_subplots(1, len(VARIABLES), subplot_titles=list(VARIABLES.values()), horizontal_spacing=0.06)
    for column, variable in enumerate(VARIABLES, start=1):
        own = frame[frame["variable"] == variable]
        if own.empty:
            _say(figure, column, "not learned here")
        for trace in _bands(own, style, variable):
            figure.add_trace(trace, 1, column)
        figure.update_xaxes(title="epoch", rangemode="tozero", row=1, col=column)
    figure.update_layout(title=title, showlegend=False, hovermode="x unified", margin={"t": 72})
    return figure


def _bands(own: pd.DataFrame, style: Style, variable: str) -> list[go.Scatter]:
    if own.empty:
        return []
    epochs = own["epoch"].to_numpy(np.float32)
    traces = []
    for low, high, opacity in ((5, 95, 0.15), (15, 85, 0.3)):
        for edge, fill in ((low, None), (high, "tonexty")):
            traces.append(
                go.Scatter(
                    x=epochs,
                    y=own[f"p{edge}"].to_numpy(np.float32),
                    uid=f"{variable}-{edge}",
                    name=f"{edge} %",
                    mode="lines",
                    line={"width": 0, "color": style.colour},
                    fill=fill,
                    fillcolor=style.fill(opacity),
                    hovertemplate="%{y:.4g}",
                )
            )
    median = go.Scatter(
        x=epochs,
        y=own["p50"].to_numpy(np.float32),
        uid=f"{variable}-50",
        name="median",
        mode="lines",
        line={"color": style.colour, "width": 2.5},
        hovertemplate="%{y:.4g}",
    )
    return [*traces, median]


def _say(figure: go.Figure, column: int, message: str) -> None:
    figure.add_annotation(text=message, showarrow=False, x=0.5, y=0.5, row=1, col=column, font_size=15)


def normalization_alt(frame: pd.DataFrame, title: str) -> str:
    """Where each variable has got to, in a sentence."""
    if frame.empty:
        return f"{title}: nothing trained yet."
    last = frame[frame["epoch"] == frame["epoch"].max()]
    words = [f"{VARIABLES[r.variable]} {r.p50:.3g} ({r.p5:.3g} to {r.p95:.3g})" for r in last.itertuples()]
    return f"{title} now, median over the units and where 90 % of them lie: {', '.join(words)}."
