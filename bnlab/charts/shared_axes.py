"""Figures of several layers on equal axes, so that they can be compared at a glance."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from bnlab.charts.figures import initial_range, log_axis, plain_figure

PARTS = 20
"""A range begins and ends at multiples of about this part of its span, so that few new values change it."""

Axis = Literal["x", "y"]
EXTENT = "extent"
"""The uid of an invisible trace."""


def share_axis(figures: Sequence[go.Figure], axis: Axis = "y") -> list[go.Figure]:
    """The figures with one range for `axis`, which the reader's zoom still overrides; those without traces as before.

    A range that a figure sets for its axis counts instead of its values, since that leaves out exploded runs.
    """
    drawn = [figure for figure in figures if figure.data]
    ranges = [limits for figure in drawn if (limits := _limits(figure, axis))]
    if len(ranges) < 2:
        return list(figures)
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return [_with_range(figure, axis, low, high) if figure.data else figure for figure in figures]


def _limits(figure: go.Figure, axis: Axis) -> tuple[float, float] | None:
    options = figure.layout[f"{axis}axis"].autorangeoptions
    if options.minallowed is not None:
        return float(options.minallowed), float(options.maxallowed)
    arrays = [np.asarray(trace[axis], float).ravel() for trace in figure.data if trace[axis] is not None]
    values = np.concatenate([*arrays, np.empty(0)])
    values = values[np.isfinite(values) & ((values > 0) | (not _is_log(figure, axis)))]
    return (float(values.min()), float(values.max())) if values.size else None


def _is_log(figure: go.Figure, axis: Axis) -> bool:
    return bool(figure.layout[f"{axis}axis"].type == "log")


def _with_range(figure: go.Figure, axis: Axis, low: float, high: float) -> go.Figure:
    layout = figure.layout.to_plotly_json()
    traces = [trace.to_plotly_json() for trace in figure.data]
    name = f"{axis}axis"
    if _is_log(figure, axis):
        # plotly.js 3 mixes up values and logarithms in autorangeoptions of a logarithmic axis below 1.
        layout[name] |= log_axis(np.array([low, high]))
        traces.append(_extent_trace(traces[0], axis, low, high))
    else:
        layout[name] |= initial_range(*_rounded_range(low, high))
    return plain_figure(traces, layout)


def _extent_trace(trace: Mapping[str, Any], axis: Axis, low: float, high: float) -> dict[str, Any]:
    """An invisible trace from `low` to `high`, for the automatic range."""
    other = "x" if axis == "y" else "y"
    ends = {axis: np.array([low, high], np.float32), other: np.repeat(trace[other][:1], 2)}
    marker = {"marker": {"opacity": 0}, "mode": "markers", "hoverinfo": "skip", "showlegend": False}
    return {"type": "scatter", "uid": EXTENT, **ends, **marker}


def _rounded_range(low: float, high: float) -> tuple[float, float]:
    """A range with room on both sides, in round numbers; from 0 at the lowest where no value is negative."""
    step = 10.0 ** math.floor(math.log10(high - low)) * 10 / PARTS if high > low else 0.1
    start, end = round(step * (math.floor(low / step) - 1), 12), round(step * (math.ceil(high / step) + 1), 12)
    return (max(start, 0.0) if low >= 0 else start), end
