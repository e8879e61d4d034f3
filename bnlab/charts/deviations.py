"""How far values have moved from where they started, as colours: blue below, orange above, clear where they stood.

The middle of the colour scale lets the page through, so that it is white on white and dark on dark. Plotly's own colour
bar cannot, so it is drawn as a heat map of its own.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlab.charts.normalization import INITIAL
from bnlab.charts.numbers import MINUS, fixed
from bnlab.spec.normalizers import VARIABLES

Floats = NDArray[np.float32]

_COLOURS = [
    [0.0, "rgba(0,114,178,1)"],
    [0.5, "rgba(0,114,178,0)"],
    [0.5, "rgba(213,94,0,0)"],
    [1.0, "rgba(213,94,0,1)"],
]
_LOST = "#7F7F7F"
_SHARE_WITHIN = 99.5  # percent: a few units far out must not make all others pale
_MOST_DECADES = 4.0
_BAR_STEPS = 60

MAIN_DOMAIN = (0, 0.89)
"""The part of the width that the colour bar leaves."""


def deviations(variable: str, values: Floats) -> Floats:
    """What is coloured: the distance from the initial value; for a variance, the decades."""
    if VARIABLES[variable].role == "variance":
        ratio = np.clip(values / np.float32(INITIAL[variable]), 10**-_MOST_DECADES, 10**_MOST_DECADES)
        return np.asarray(np.log10(ratio), np.float32)
    return np.asarray(values - np.float32(INITIAL[variable]), np.float32)


def deviation_limit(variable: str, values: Floats) -> float:
    """The deviation that gets the full colour."""
    distances = np.abs(deviations(variable, values[np.isfinite(values)]))
    return float(np.percentile(distances, _SHARE_WITHIN)) or 1.0 if distances.size else 1.0


def deviation_traces(variable: str, values: Floats, limit: float, place: dict[str, Any]) -> list[dict[str, Any]]:
    """The heat map of `values` (`[rows, columns]`) at the coordinates of `place`, with its colour bar.

    Grey cells are no numbers any more.
    """
    finite = np.isfinite(values)
    kept = np.where(finite, values, np.nan)
    drawn = {"type": "heatmap", "showscale": False, "colorscale": _COLOURS, "zmin": -limit, "zmax": limit}
    cells = {"uid": "cells", "z": deviations(variable, kept), "customdata": kept}
    heat_map = {**drawn, **cells, **place}
    levels = np.linspace(-limit, limit, _BAR_STEPS, dtype=np.float32)
    axes = {"x": [0], "y": levels, "xaxis": "x2", "yaxis": "y2"}
    bar = {**drawn, **axes, "uid": "bar", "z": levels[:, None], "hoverinfo": "skip"}
    if finite.all():
        return [heat_map, bar]
    grey = {"colorscale": [[0, _LOST], [1, _LOST]], "z": np.where(finite, np.nan, 1).astype(np.float32)}
    words = {"hovertemplate": "no number any more<extra></extra>"}
    return [heat_map, bar, {**drawn, **place, **grey, "uid": "lost"} | words]


def bar_axes(variable: str, limit: float) -> dict[str, Any]:
    """The axes of the colour bar, on the right of the main ones, and the room these have."""
    ticks = np.array([-limit, -limit / 2, 0, limit / 2, limit])
    words = {"tickvals": ticks.tolist(), "ticktext": _numbers(variable, ticks)}
    return {
        "xaxis2": {"domain": [0.93, 1], "visible": False, "anchor": "y2", "fixedrange": True},
        "yaxis2": {"side": "right", "anchor": "x2", "fixedrange": True, "showgrid": False, "automargin": True} | words,
    }


def _numbers(variable: str, ticks: NDArray[np.float64]) -> list[str]:
    """The values that have these deviations, in as many digits as tell them apart."""
    start = INITIAL[variable]
    if VARIABLES[variable].role == "variance":
        return _apart((start * 10**ticks).tolist())
    return _apart((start + ticks).tolist()) if start else [_short(tick) for tick in ticks.tolist()]


def _apart(values: list[float]) -> list[str]:
    """Around 1: with decimals while all are near it, by their first digits once they are far from each other."""
    distance = values[-1] - 1
    decimals = max(0, 1 - math.floor(math.log10(distance)))
    return [fixed(value, decimals) for value in values] if distance < 9 else [_short(value) for value in values]


def _short(value: float) -> str:
    if value and not 0.9e-4 < abs(value) < 1e5:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{float(mantissa):g}×10<sup>{int(exponent)}</sup>".replace("-", MINUS)
    return (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}").replace("-", MINUS)
