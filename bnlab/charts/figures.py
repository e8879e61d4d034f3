"""Figures in plotly.js's own terms: traces, layouts and messages in place of an empty chart."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.style import Style

EVEN = 1e-4


MIN_EVEN = 3


class Trace(dict[str, Any]):
    """A plotly.js trace whose arrays are NumPy's. It is not changed once it is drawn."""

    @cached_property
    def json(self) -> str:
        """As static/live_chart.js reads it: arrays as base64 float32, even ones as start, step and length."""
        return json.dumps({name: _packed(value) for name, value in self.items()})


@dataclass(frozen=True)
class Drawing:
    """Traces and a layout, taken as they are."""

    traces: Sequence[Trace]
    layout: dict[str, Any]

    def figure(self) -> go.Figure:
        """The same as plotly's Figure."""
        return plain_figure([dict(trace) for trace in self.traces], self.layout)

    def json(self, uirevision: str) -> str:
        """The figure's text; `uirevision` counts where the layout has none of its own."""
        layout = json.dumps({"uirevision": uirevision} | self.layout)
        return f'{{"data": [{", ".join(trace.json for trace in self.traces)}], "layout": {layout}}}'


Frames = Mapping[str, pd.DataFrame]
"""A frame for each run, by its digest."""


@dataclass(frozen=True)
class LayerChart:
    """A chart of what is recorded of one hidden layer, all runs together: what the Layers page needs to show it.

    Attributes:
        id: names the chart on its page.
        caption: what it shows, for the reader.
        frame: from a run's records (`bnlab.runs.reader.layers_frame`), the layer and the steps in an epoch.
        figure: from each run's frame, the layer and each run's style.
        alt: the same in a sentence.
        note: what else is to be said of the frames, with the runs' styles; nothing by default.
    """

    id: str
    caption: str
    frame: Callable[[pd.DataFrame, str, int], pd.DataFrame]
    figure: Callable[[Frames, str, Mapping[str, Style]], go.Figure]
    alt: Callable[[Frames, str, Mapping[str, Style]], str]
    note: Callable[[Frames, Mapping[str, Style]], str] = lambda _frames, _styles: ""


def _packed(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    floats = np.ascontiguousarray(value, "<f4")
    return _even(floats) or {"dtype": "f4", "bdata": base64.b64encode(floats.tobytes()).decode()}


def _even(values: NDArray[np.float32]) -> dict[str, list[float]] | None:
    """Start, step and length of evenly spaced values, as most x are; None for others."""
    if len(values) < MIN_EVEN or not np.isfinite(values).all():
        return None
    exact = values.astype(float)
    step = (exact[-1] - exact[0]) / (len(exact) - 1)
    if step == 0 or np.abs(np.diff(exact) - step).max() > EVEN * abs(step):
        return None
    return {"even": [exact[0], step, len(exact)]}


def plain_figure(traces: Sequence[dict[str, Any]], layout: dict[str, Any]) -> go.Figure:
    """The figure of `traces` and `layout` in plotly.js's own terms, taken as they are.

    Plotly checks every property against its schema, which takes ten times longer than all else a live chart needs
    at a tick; the tests do that checking for our figures.
    """
    return go.Figure({"data": list(traces), "layout": layout}, _validate=False)


def message_layout(title: str, message: str) -> dict[str, Any]:
    """The layout of a chart with nothing in it but what there is to say."""
    words = {"text": message, "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
    hidden = {"visible": False}
    annotation = {**words, "font": {"size": 16}}
    return {"title": {"text": title}, "xaxis": hidden, "yaxis": hidden, "annotations": [annotation]}


def message_figure(title: str, message: str) -> go.Figure:
    """A figure with nothing in it but what there is to say."""
    return plain_figure([], message_layout(title, message))
