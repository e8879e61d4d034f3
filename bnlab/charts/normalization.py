"""A batch-normalization layer's gamma, beta, moving mean and moving variance over training."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

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


def normalization_figure(frame: pd.DataFrame, variable: str, style: Style) -> go.Figure:
    """The median of one variable over the layer's units, with bands from 15 to 85 and from 5 to 95 percent."""
    title, own = VARIABLES[variable], frame[frame["variable"] == variable]
    if own.empty:
        return message_figure(title, "Nothing trained yet" if frame.empty else "Not learned here")
    figure = go.Figure(_bands(own, style))
    figure.update_layout(
        title=title,
        showlegend=False,
        hovermode="x unified",
        margin={"l": 48, "r": 8, "t": 40, "b": 8},
        xaxis={"title": "epoch", "rangemode": "tozero", "hoverformat": ".2f"},
        yaxis={"nticks": 6},
    )
    return figure


def _bands(own: pd.DataFrame, style: Style) -> list[go.Scatter]:
    epochs = own["epoch"].to_numpy(np.float32)
    traces = []
    for low, high, opacity in ((5, 95, 0.18), (15, 85, 0.32)):
        for edge, fill in ((low, None), (high, "tonexty")):
            traces.append(
                go.Scatter(
                    x=epochs,
                    y=own[f"p{edge}"].to_numpy(np.float32),
                    uid=f"p{edge}",
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
        uid="p50",
        name="median",
        mode="lines",
        line={"color": style.colour, "width": 2.5},
        hovertemplate="%{y:.4g}",
    )
    return [*traces, median]


def normalization_alt(frame: pd.DataFrame, variable: str, layer: str) -> str:
    """Where the variable has got to, in a sentence."""
    own = frame[frame["variable"] == variable]
    title = f"{VARIABLES[variable]} of {layer}"
    if own.empty:
        return f"{title}: nothing to show."
    last = own.iloc[-1]
    return f"{title}: median over the units {last.p50:.3g}, 90 % of them between {last.p5:.3g} and {last.p95:.3g}."
