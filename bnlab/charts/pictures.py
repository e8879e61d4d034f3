"""The normalization of the input, a value a pixel, drawn as the image that it normalizes."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.deviations import MAIN_DOMAIN, bar_axes, deviation_traces
from bnlab.charts.normalization import VARIABLES, values_at
from bnlab.charts.numbers import short
from bnlab.charts.style import message_figure, plain_figure


def picture_frame(snapshots: pd.DataFrame, variable: str, step: int, shape: tuple[int, int]) -> pd.DataFrame:
    """The values at the latest moment up to `step`, rows and columns as in the image."""
    values = values_at(snapshots, variable, step)
    return pd.DataFrame(values.reshape(shape)) if values.size else pd.DataFrame()


def picture_figure(frame: pd.DataFrame, variable: str, limit: float) -> go.Figure:
    """The image; `limit` is the deviation from the initial value that gets the full colour."""
    if frame.empty:
        return message_figure(VARIABLES[variable], "Nothing to show")
    place = {"hovertemplate": "row %{y}, column %{x}: %{customdata:.4g}<extra></extra>"}
    framed = {
        "showticklabels": False,
        "ticks": "",
        "showgrid": False,
        "showline": True,
        "mirror": True,
        "constrain": "domain",
    }
    layout = {
        "title": {"text": VARIABLES[variable]},
        "margin": {"l": 8, "r": 8, "t": 40, "b": 16},
        "xaxis": framed | {"domain": MAIN_DOMAIN, "constraintoward": "right"},
        "yaxis": framed | {"autorange": "reversed", "scaleanchor": "x"},
        **bar_axes(variable, limit),
    }
    return plain_figure(deviation_traces(variable, frame.to_numpy(np.float32), limit, place), layout)


def picture_alt(frame: pd.DataFrame, variable: str, layer: str) -> str:
    """What is drawn and between which values it lies, in a sentence."""
    title = f"{VARIABLES[variable]} of {layer}"
    if frame.empty:
        return f"{title}: nothing to show."
    values = frame.to_numpy()
    rows, columns = values.shape
    between = "no numbers"
    if np.isfinite(values).any():
        between = f"from {short(np.nanmin(values))} to {short(np.nanmax(values))}"
    return f"{title} as a picture of {rows} × {columns} pixels: {between}."
