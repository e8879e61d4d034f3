"""Layouts and traces that the explaining figures share."""

from typing import Any

import pandas as pd

from bnlab.charts.style import GREY


def static_layout(xaxis: dict[str, Any], yaxis: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """A layout without zooming, which small figures do not need and which would catch a finger that scrolls."""
    return {
        "dragmode": False,
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": {"fixedrange": True, **xaxis},
        "yaxis": {"fixedrange": True, **yaxis},
        **properties,
    }


def titled_axis(title: str, **properties: Any) -> dict[str, Any]:
    """An axis with a title."""
    return {"title": {"text": title}, **properties}


def dashed_line(x: float) -> dict[str, Any]:
    """A shape: a vertical line at `x` from the bottom of the figure to its top."""
    line = {"color": GREY, "width": 2, "dash": "dash"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def line_trace(
    frame: pd.DataFrame, x: str, y: str, name: str, line: dict[str, Any], hovertemplate: str
) -> dict[str, Any]:
    """A line of the column `y`, which is also its uid, over the column `x`."""
    return {
        "type": "scatter",
        "uid": y,
        "name": name,
        "x": frame[x].to_numpy(),
        "y": frame[y].to_numpy(),
        "mode": "lines",
        "line": line,
        "hovertemplate": hovertemplate,
    }
