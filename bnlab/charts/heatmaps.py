"""Every unit of a normalization layer over training, one row per unit, and the input's as images."""

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.distributions import INITIAL_VALUES, VARIABLE_TITLES, unit_values, values_at
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import MINUS, format_fixed, format_digits
from bnlab.charts.snapshots import evenly_spaced, label_positions, step_text
from bnlab.specs.normalizers import VARIABLES

Floats = NDArray[np.float32]


_COLOURS = [
    [0.0, "rgba(0,114,178,1)"],
    [0.5, "rgba(0,114,178,0)"],
    [0.5, "rgba(213,94,0,0)"],
    [1.0, "rgba(213,94,0,1)"],
]


_LOST = "#7F7F7F"


_SHARE_WITHIN = 99.5  # percent: a few units far out must not make all others pale


_MAX_DECADES = 4.0


_BAR_STEPS = 60


MAIN_AXIS_DOMAIN = (0, 0.89)
"""The part of the width that the colour bar leaves."""


def deviations(variable: str, values: Floats) -> Floats:
    """What is coloured: the distance from the initial value; for a variance, the decades."""
    if VARIABLES[variable].role == "variance":
        ratio = np.clip(values / np.float32(INITIAL_VALUES[variable]), 10**-_MAX_DECADES, 10**_MAX_DECADES)
        return np.asarray(np.log10(ratio), np.float32)
    return np.asarray(values - np.float32(INITIAL_VALUES[variable]), np.float32)


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
    start = INITIAL_VALUES[variable]
    if VARIABLES[variable].role == "variance":
        return _apart((start * 10**ticks).tolist())
    return _apart((start + ticks).tolist()) if start else [_short(tick) for tick in ticks.tolist()]


def _apart(values: list[float]) -> list[str]:
    """Around 1: with decimals while all are near it, by their first digits once they are far from each other."""
    distance = values[-1] - 1
    decimals = max(0, 1 - math.floor(math.log10(distance)))
    return [format_fixed(value, decimals) for value in values] if distance < 9 else [_short(value) for value in values]


def _short(value: float) -> str:
    if value and not 0.9e-4 < abs(value) < 1e5:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{float(mantissa):g}×10<sup>{int(exponent)}</sup>".replace("-", MINUS)
    return (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}").replace("-", MINUS)


MAX_UNITS = 200


MAX_EVALUATIONS = 120


def heat_map_frame(snapshots: pd.DataFrame, variable: str) -> pd.DataFrame:
    """One row a unit (the index), sorted by its last value, and one column a step.

    Of more units or moments than a screen has room for, an even spread over the sorted units and over the moments.
    """
    steps, values = unit_values(snapshots, variable)
    if not len(steps):
        return pd.DataFrame()
    sound = np.flatnonzero(np.isfinite(values).all(axis=1))
    units = np.argsort(values[sound[-1] if len(sound) else 0], kind="stable")[evenly_spaced(values.shape[1], MAX_UNITS)]
    moments = evenly_spaced(len(steps), MAX_EVALUATIONS)
    return pd.DataFrame(values[np.ix_(moments, units)].T, index=units, columns=steps[moments])


def heat_map_figure(frame: pd.DataFrame, variable: str, steps_per_epoch: int) -> go.Figure:
    """The frame's units from bottom to top and its moments from left to right, evenly spaced."""
    if frame.empty:
        return message_figure(VARIABLE_TITLES[variable], "Nothing to show")
    steps, values = [int(step) for step in frame.columns], frame.to_numpy(np.float32)
    limit = deviation_limit(variable, values)
    place = {
        "x": [step_text(step, steps_per_epoch) for step in steps],
        "y": [f"unit {unit}" for unit in frame.index],
        "hovertemplate": "%{y}, %{x}: %{customdata:.4g}<extra></extra>",
    }
    layout = {
        "title": {"text": VARIABLE_TITLES[variable]},
        "margin": {"l": 24, "r": 8, "t": 40, "b": 8},
        "xaxis": {
            "type": "category",
            "domain": MAIN_AXIS_DOMAIN,
            "tickvals": label_positions(steps, steps_per_epoch),
            "tickangle": 0,
            "showgrid": False,
        },
        "yaxis": {
            "type": "category",
            "showticklabels": False,
            "ticks": "",
            "showgrid": False,
            "title": {"text": "units"},
        },
        **bar_axes(variable, limit),
    }
    return plain_figure(deviation_traces(variable, values, limit, place), layout)


def heat_map_alt(frame: pd.DataFrame, variable: str, layer: str) -> str:
    """How many units ended above and how many below where they started, in a sentence."""
    title = f"{VARIABLE_TITLES[variable]} of {layer}"
    if frame.empty:
        return f"{title}: nothing to show."
    last, start = frame.iloc[:, -1], INITIAL_VALUES[variable]
    above, below = (last > start).mean(), (last < start).mean()
    return f"{title}: {above:.0%} of the units are above the initial {start:g}, {below:.0%} below."


def image_frame(snapshots: pd.DataFrame, variable: str, step: int, shape: tuple[int, int]) -> pd.DataFrame:
    """The values at the latest moment up to `step`, rows and columns as in the image."""
    values = values_at(snapshots, variable, step)
    return pd.DataFrame(values.reshape(shape)) if values.size else pd.DataFrame()


def image_figure(frame: pd.DataFrame, variable: str, limit: float) -> go.Figure:
    """The image; `limit` is the deviation from the initial value that gets the full colour."""
    if frame.empty:
        return message_figure(VARIABLE_TITLES[variable], "Nothing to show")
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
        "title": {"text": VARIABLE_TITLES[variable]},
        "margin": {"l": 8, "r": 8, "t": 40, "b": 16},
        "xaxis": framed | {"domain": MAIN_AXIS_DOMAIN, "constraintoward": "right"},
        "yaxis": framed | {"autorange": "reversed", "scaleanchor": "x"},
        **bar_axes(variable, limit),
    }
    return plain_figure(deviation_traces(variable, frame.to_numpy(np.float32), limit, place), layout)


def image_alt(frame: pd.DataFrame, variable: str, layer: str) -> str:
    """What is drawn and between which values it lies, in a sentence."""
    title = f"{VARIABLE_TITLES[variable]} of {layer}"
    if frame.empty:
        return f"{title}: nothing to show."
    values = frame.to_numpy()
    rows, columns = values.shape
    between = "no numbers"
    if np.isfinite(values).any():
        between = f"from {format_digits(np.nanmin(values))} to {format_digits(np.nanmax(values))}"
    return f"{title} as a picture of {rows} × {columns} pixels: {between}."
