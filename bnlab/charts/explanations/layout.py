"""What the explaining figures have in common: colours, and a layout that stays still under the reader's finger."""

from typing import Any

from bnlab.charts.style import COLOURS

BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
GREY = COLOURS[6]


def static_layout(xaxis: dict[str, Any], yaxis: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A layout without zooming, which a small figure has no need of and which would catch a scrolling finger."""
    return {
        "dragmode": False,
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": {"fixedrange": True, **xaxis},
        "yaxis": {"fixedrange": True, **yaxis},
        **more,
    }


def titled_axis(text: str, **axis: Any) -> dict[str, Any]:
    """An axis with a title."""
    return {"title": {"text": text}, **axis}


def dashed_line(x: float) -> dict[str, Any]:
    """A shape: a vertical line at `x` from the bottom of the figure to its top."""
    line = {"color": GREY, "width": 2, "dash": "dash"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}
