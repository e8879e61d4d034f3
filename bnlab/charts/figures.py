"""Plotly figures as plain data: traces, layouts, axes, and messages in place of an empty chart."""

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.style import Style

EVEN_TOLERANCE = 1e-4  # relative to the step
MIN_EVEN_LENGTH = 3

MAX_POWERS = 5
POWER_LABEL_DECADES = 2
"""From this span on, a logarithmic axis is labelled with powers of ten alone."""

ZERO_DISTANCE = 3.0
"""The ratio of the smallest positive value on a logarithmic axis to the place where zeros are shown."""
MIN_ZERO_LEVEL = 1e-8
"""Where zeros are shown if there is nothing else."""

Frames = Mapping[str, pd.DataFrame]
"""A frame for each run, by its digest."""


class Trace(dict[str, Any]):
    """A plotly.js trace with NumPy arrays. Do not change it after reading `json`, which is cached."""

    @cached_property
    def json(self) -> str:
        """The trace for static/live_chart.js: arrays as base64 float32, evenly spaced ones as start, step, length."""
        return json.dumps({name: _encode(value) for name, value in self.items()})


@dataclass(frozen=True)
class Drawing:
    """Traces and a layout in plotly.js's terms."""

    traces: Sequence[Trace]
    layout: dict[str, Any]

    def figure(self) -> go.Figure:
        """The drawing as plotly's Figure."""
        return plain_figure([dict(trace) for trace in self.traces], self.layout)

    def json(self, uirevision: str) -> str:
        """The drawing as JSON; `uirevision` is the default for a layout that has none."""
        layout = json.dumps({"uirevision": uirevision} | self.layout)
        return f'{{"data": [{", ".join(trace.json for trace in self.traces)}], "layout": {layout}}}'


@dataclass(frozen=True)
class LayerChart:
    """A chart of data recorded for one hidden layer, all runs together, on the Layers page.

    Attributes:
        id: names the chart on its page.
        caption: explains the chart to the reader.
        frame: prepares one run's data from its records (`bnlab.runs.reader.layers_frame`), the layer and the steps
            per epoch.
        figure: draws each run's frame, given the layer and each run's style.
        alt: describes the figure in a sentence; same arguments.
        note: a remark on the frames, given the runs' styles; empty by default.
    """

    id: str
    caption: str
    frame: Callable[[pd.DataFrame, str, int], pd.DataFrame]
    figure: Callable[[Frames, str, Mapping[str, Style]], go.Figure]
    alt: Callable[[Frames, str, Mapping[str, Style]], str]
    note: Callable[[Frames, Mapping[str, Style]], str] = lambda _frames, _styles: ""


def plain_figure(traces: Sequence[dict[str, Any]], layout: dict[str, Any]) -> go.Figure:
    """The figure of `traces` and `layout` in plotly.js's terms, without validation and without a template.

    Plotly's validation of every property takes ten times longer than everything else that an update of a live chart
    needs; the tests validate our figures instead. Its default template, which no page shows, would be copied with every
    figure, which takes three times longer than the figure.
    """
    return go.Figure({"data": list(traces), "layout": {"template": {}} | layout}, _validate=False)


def message_figure(title: str, message: str) -> go.Figure:
    """An empty figure with `message` in its middle."""
    return plain_figure([], message_layout(title, message))


def message_layout(title: str, message: str) -> dict[str, Any]:
    """The layout of a chart without traces, with `message` in its middle."""
    hidden = {"visible": False}
    position = {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
    annotation = {"text": message, "showarrow": False, **position, "font": {"size": 16}}
    return {"title": {"text": title}, "xaxis": hidden, "yaxis": hidden, "annotations": [annotation]}


def log_axis(values: NDArray[np.float64]) -> dict[str, Any]:
    """A logarithmic axis for positive `values`, labelled with powers of ten, or whole numbers over less than a few.

    Plotly's default labels, 5, 2, 10⁹, 5, 2, have small digits in between that say nothing by themselves.
    """
    decades = float(np.ptp(np.log10(values)))
    if decades < POWER_LABEL_DECADES:
        return {"type": "log", "tickformat": "~g", "nticks": 4}
    return {"type": "log", "exponentformat": "power", "tick0": 0, "dtick": math.ceil(decades / MAX_POWERS)}


def zero_level(values: NDArray[Any]) -> float:
    """Where a logarithmic axis shows exact zeros: at its lower edge, half a decade below the positive `values`."""
    positive = values[np.isfinite(values) & (values > 0)]
    return float(positive.min(initial=np.inf)) / ZERO_DISTANCE if positive.size else MIN_ZERO_LEVEL


def raise_zeros(values: NDArray[Any], level: float) -> NDArray[Any]:
    """`values` with exact zeros replaced by `level`, where a logarithmic axis shows them."""
    return np.where(values == 0, values.dtype.type(level), values)


def initial_range(low: float, high: float) -> dict[str, Any]:
    """An axis from `low` to `high` until the reader zooms, and again after they reset the axes.

    Not `range`: plotly.js takes a new range for a change that overrides the reader's zoom, and resets to the first
    one. As limits of the automatic range it leaves the zoom alone, and a reset goes to the current range. For linear
    axes.
    """
    return {"autorange": True, "autorangeoptions": {"minallowed": low, "maxallowed": high}}


def _encode(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    floats = np.ascontiguousarray(value, "<f4")
    return encode_even(floats) or {"dtype": "f4", "bdata": base64.b64encode(floats.tobytes()).decode()}


def encode_even(values: NDArray[np.float32]) -> dict[str, list[float]] | None:
    """Start, step and length of evenly spaced values, as most x are; None for others."""
    if len(values) < MIN_EVEN_LENGTH or not np.isfinite(values).all():
        return None
    exact = values.astype(float)
    step = (exact[-1] - exact[0]) / (len(exact) - 1)
    if step == 0 or np.abs(np.diff(exact) - step).max() > EVEN_TOLERANCE * abs(step):
        return None
    return {"even": [exact[0], step, len(exact)]}
