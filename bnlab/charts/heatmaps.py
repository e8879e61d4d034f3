"""A normalization layer's values as colors: every unit over training, and the input's normalization as an image.

A color shows the deviation from the initial value: orange above, blue below, clear at it, grey where not finite.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.distributions import INITIAL_VALUES, VARIABLE_TITLES, unit_values, values_at
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import MINUS, format_digits, format_fixed
from bnlab.charts.snapshots import evenly_spaced, label_positions, step_text
from bnlab.charts.style import BLUE, GREY, VERMILLION, translucent
from bnlab.runs.thinning import thin_together
from bnlab.specs.normalizers import VARIABLES

Floats = NDArray[np.float32]

MAX_UNITS = 200
MAX_EVALUATIONS = 120
MAIN_AXIS_DOMAIN = (0, 0.89)
"""The part of the width left of the color bar."""
COLOR_SCALE = [
    [0.0, translucent(BLUE, 1)],
    [0.5, translucent(BLUE, 0)],
    [0.5, translucent(VERMILLION, 0)],
    [1.0, translucent(VERMILLION, 1)],
]
LIMIT_PERCENTILE = 99.5  # a few outliers must not make all other units pale
MAX_DECADES = 4.0
BAR_STEPS = 60


# Every unit over training


def heat_map_frame(snapshots: pd.DataFrame, variable: str) -> pd.DataFrame:
    """One row per unit (the index), sorted by its last finite value, and one column per step.

    Thinned to MAX_UNITS of the sorted units, evenly, and to about MAX_EVALUATIONS: those at which the smallest or the
    largest of all units' values is that of a part (`thin_together`).
    """
    steps, values = unit_values(snapshots, variable)
    if not len(steps):
        return pd.DataFrame()
    finite = np.flatnonzero(np.isfinite(values).all(axis=1))
    order = np.argsort(values[finite[-1] if len(finite) else 0], kind="stable")
    units = order[evenly_spaced(values.shape[1], MAX_UNITS)]
    evaluations = thin_together([values.min(axis=1), values.max(axis=1)], MAX_EVALUATIONS)
    return pd.DataFrame(values[np.ix_(evaluations, units)].T, index=units, columns=steps[evaluations])


def heat_map_figure(frame: pd.DataFrame, variable: str, steps_per_epoch: int) -> go.Figure:
    """The frame's units from bottom to top and its evaluations from left to right, at equal distances."""
    if frame.empty:
        return message_figure(VARIABLE_TITLES[variable], "Nothing to show")
    steps, values = [int(step) for step in frame.columns], frame.to_numpy(np.float32)
    limit = deviation_limit(variable, values)
    coordinates = {
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
    traces = deviation_traces(variable, values, limit, coordinates)
    traces[0]["meta"] |= {"units": frame.index.tolist()}
    return plain_figure(traces, layout)


def heat_map_alt(frame: pd.DataFrame, variable: str, layer: str) -> str:
    """The shares of units that ended above and below the initial value, in a sentence."""
    title = f"{VARIABLE_TITLES[variable]} of {layer}"
    if frame.empty:
        return f"{title}: nothing to show."
    last, initial = frame.iloc[:, -1], INITIAL_VALUES[variable]
    above, below = (last > initial).mean(), (last < initial).mean()
    return f"{title}: {above:.0%} of the units are above the initial {initial:g}, {below:.0%} below."


# The input's normalization as an image


def image_frame(snapshots: pd.DataFrame, variable: str, step: int, shape: tuple[int, int]) -> pd.DataFrame:
    """The values at the latest evaluation up to `step`, with the image's rows and columns."""
    values = values_at(snapshots, variable, step)
    return pd.DataFrame(values.reshape(shape)) if values.size else pd.DataFrame()


def image_figure(frame: pd.DataFrame, variable: str, limit: float) -> go.Figure:
    """The image; `limit` is the deviation from the initial value that gets the full color."""
    if frame.empty:
        return message_figure(VARIABLE_TITLES[variable], "Nothing to show")
    border = {
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
        "xaxis": border | {"domain": MAIN_AXIS_DOMAIN, "constraintoward": "right"},
        "yaxis": border | {"autorange": "reversed", "scaleanchor": "x"},
        **bar_axes(variable, limit),
    }
    hover = {"hovertemplate": "row %{y}, column %{x}: %{customdata:.4g}<extra></extra>"}
    return plain_figure(deviation_traces(variable, frame.to_numpy(np.float32), limit, hover), layout)


def image_alt(frame: pd.DataFrame, variable: str, layer: str) -> str:
    """The image's size and the range of its values, in a sentence."""
    title = f"{VARIABLE_TITLES[variable]} of {layer}"
    if frame.empty:
        return f"{title}: nothing to show."
    values = frame.to_numpy()
    rows, columns = values.shape
    value_range = "not finite"
    if np.isfinite(values).any():
        value_range = f"from {format_digits(np.nanmin(values))} to {format_digits(np.nanmax(values))}"
    return f"{title} as a picture of {rows} × {columns} pixels: {value_range}."


# Colors


def deviations(variable: str, values: Floats) -> Floats:
    """The differences from the initial value; for a variance, the decimal logarithm of the ratio to it."""
    if VARIABLES[variable].role == "variance":
        ratio = np.clip(values / np.float32(INITIAL_VALUES[variable]), 10**-MAX_DECADES, 10**MAX_DECADES)
        return np.asarray(np.log10(ratio), np.float32)
    return np.asarray(values - np.float32(INITIAL_VALUES[variable]), np.float32)


def deviation_limit(variable: str, values: Floats) -> float:
    """The deviation that gets the full color."""
    distances = np.abs(deviations(variable, values[np.isfinite(values)]))
    return float(np.percentile(distances, LIMIT_PERCENTILE)) or 1.0 if distances.size else 1.0


def deviation_traces(variable: str, values: Floats, limit: float, options: dict[str, Any]) -> list[dict[str, Any]]:
    """The heat map of `values` (`[rows, columns]`) and its color bar; cells that are not finite are grey.

    `options` are further properties of the heat map: coordinates and the hover text. `meta` of the first trace says how
    its colors follow from its values, so that only these need to be sent (static/heat_map.js).
    """
    finite = np.isfinite(values)
    finite_values = np.where(finite, values, np.nan)
    common = {"type": "heatmap", "showscale": False, "colorscale": COLOR_SCALE}
    limits = {"zmin": -limit, "zmax": limit}
    cells = {"uid": "cells", "z": deviations(variable, finite_values), "customdata": finite_values}
    coloring = {"initial": INITIAL_VALUES[variable], "logarithmic": VARIABLES[variable].role == "variance"}
    heat_map = {**common, **limits, **cells, **options, "meta": coloring}
    levels = np.linspace(-1, 1, BAR_STEPS, dtype=np.float32)  # of the limit
    bar_position = {"x": [0], "y": levels, "xaxis": "x2", "yaxis": "y2", "zmin": -1, "zmax": 1}
    bar = {**common, **bar_position, "uid": "bar", "z": levels[:, None], "hoverinfo": "skip"}
    if finite.all():
        return [heat_map, bar]
    grey_cells = {
        **common,
        **limits,
        **options,
        "colorscale": [[0, GREY], [1, GREY]],
        "z": np.where(finite, np.nan, 1).astype(np.float32),
        "uid": "lost",
        "hovertemplate": "not finite<extra></extra>",
    }
    return [heat_map, bar, grey_cells]


def bar_axes(variable: str, limit: float) -> dict[str, Any]:
    """The axes of the color bar, right of the main ones."""
    ticks = np.array([-1, -0.5, 0, 0.5, 1])
    labels = {"tickvals": ticks.tolist(), "ticktext": _tick_texts(variable, limit * ticks)}
    return {
        "xaxis2": {"domain": [0.93, 1], "visible": False, "anchor": "y2", "fixedrange": True},
        "yaxis2": {"side": "right", "anchor": "x2", "fixedrange": True, "showgrid": False, "automargin": True} | labels,
    }


def _tick_texts(variable: str, ticks: NDArray[np.float64]) -> list[str]:
    """The values with these deviations, with enough digits to be distinct."""
    initial = INITIAL_VALUES[variable]
    if VARIABLES[variable].role == "variance":
        return _texts_around_one((initial * 10**ticks).tolist())
    return _texts_around_one((initial + ticks).tolist()) if initial else [_tick_text(tick) for tick in ticks.tolist()]


def _texts_around_one(values: list[float]) -> list[str]:
    """Values around 1 as text: with decimals if all are near it, otherwise with their first digits."""
    distance = values[-1] - 1
    decimals = max(0, 1 - math.floor(math.log10(distance)))
    return [format_fixed(value, decimals) for value in values] if distance < 9 else [_tick_text(v) for v in values]


def _tick_text(value: float) -> str:
    if value and not 0.9e-4 < abs(value) < 1e5:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{float(mantissa):g}×10<sup>{int(exponent)}</sup>".replace("-", MINUS)
    return (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}").replace("-", MINUS)
