"""Gradient norms by hidden layer: over training, and by depth at one step."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.figures import LayerChart, message_figure, plain_figure
from bnlab.charts.formatting import format_digits
from bnlab.charts.snapshots import evenly_spaced
from bnlab.charts.style import Style

MAX_POWERS = 5


DECADES = 2
"""From so many on, powers of ten are labels enough."""


def log_axis(values: NDArray[np.float64]) -> dict[str, Any]:
    """The axis for positive `values`: labelled with powers of ten alone, or with whole numbers where they are too few.

    Plotly's own labels are 5, 2, 10⁹, 5, 2 in between, of which the small digits say nothing by themselves.
    """
    span = float(np.ptp(np.log10(values)))
    if span < DECADES:
        return {"type": "log", "tickformat": "~g", "nticks": 4}
    return {"type": "log", "exponentformat": "power", "tick0": 0, "dtick": math.ceil(span / MAX_POWERS)}


MAX_POINTS = 150


MARKED_POINTS = 60


def gradient_frame(layers: pd.DataFrame, layer: str, steps_per_epoch: int) -> pd.DataFrame:
    """Columns epoch, gradient_norm of one hidden layer; `layers` as `bnlab.runs.reader.layers_frame` makes it."""
    own = layers[layers["layer"] == layer]
    frame = pd.DataFrame({"epoch": own["step"] / steps_per_epoch, "gradient_norm": own["gradient_norm"]})
    return frame.iloc[evenly_spaced(len(frame), MAX_POINTS)].reset_index(drop=True) if len(frame) else frame


def depth_frame(layers: pd.DataFrame, names: Sequence[str], step: int) -> pd.DataFrame:
    """Columns depth (from 1), gradient_norm at the latest moment up to `step`; `names` from the input on."""
    reached = layers.loc[layers["step"] <= step, "step"].max()
    own = layers[layers["step"] == reached].set_index("layer")["gradient_norm"]
    depths = {name: depth for depth, name in enumerate(names, start=1) if name in own.index}
    return pd.DataFrame({"depth": list(depths.values()), "gradient_norm": own[list(depths)].to_numpy(float)})


def gradient_figure(frames: Mapping[str, pd.DataFrame], layer: str, styles: Mapping[str, Style]) -> go.Figure:
    """One line a run over its epochs, on a logarithmic axis."""
    axis = {"title": {"text": "epoch"}, "rangemode": "tozero", "hoverformat": ".2f"}
    return _lines(f"Gradient norm of {layer}", frames, "epoch", styles, axis)


def depth_figure(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> go.Figure:
    """One line a run over its hidden layers, on a logarithmic axis."""
    deepest = max((len(frame) for frame in frames.values()), default=0)
    step = max(1, math.ceil(deepest / 12))
    axis = {"title": {"text": "hidden layer, from the input on"}, "dtick": step, "tick0": 1}
    return _lines("Gradient norm by depth", frames, "depth", styles, axis)


def _lines(
    title: str, frames: Mapping[str, pd.DataFrame], x: str, styles: Mapping[str, Style], axis: dict[str, Any]
) -> go.Figure:
    # A logarithm has no place for zero, nor for what has overflowed.
    shown = {run: frame[_drawable(frame)] for run, frame in frames.items() if _drawable(frame).any()}
    if not shown:
        nothing = all(frame.empty for frame in frames.values())
        return message_figure(title, "Nothing measured yet" if nothing else "No gradient reaches this layer")
    norms = np.concatenate([frame["gradient_norm"].to_numpy(float) for frame in shown.values()])
    layout = {
        "title": {"text": title},
        "showlegend": False,
        "hovermode": "x unified",
        "margin": {"l": 56, "r": 8, "t": 40, "b": 8},
        "xaxis": axis,
        "yaxis": log_axis(norms),
    }
    return plain_figure([_line(run, frame, x, styles[run]) for run, frame in shown.items()], layout)


def _drawable(frame: pd.DataFrame) -> "pd.Series[bool]":
    return frame["gradient_norm"].between(0, math.inf, inclusive="neither")


def _line(run: str, frame: pd.DataFrame, x: str, style: Style) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": run,
        "name": style.name,
        "x": frame[x].to_numpy(np.float32),
        "y": frame["gradient_norm"].to_numpy(np.float32),
        "mode": "lines+markers" if len(frame) < MARKED_POINTS else "lines",
        "line": style.line(),
        "marker": {"size": 6},
        "hovertemplate": "%{y:.3g}",
    }


def gradient_alt(frames: Mapping[str, pd.DataFrame], layer: str, styles: Mapping[str, Style]) -> str:
    """From where to where each run's gradient went over training, in a sentence."""
    return _alt(f"Gradient norm of {layer} from the first moment to the last", frames, styles)


def depth_alt(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    """The gradient at the first and at the last hidden layer of each run, in a sentence."""
    return _alt("Gradient norm from the first hidden layer to the last", frames, styles)


def gap_text(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    """Of which runs something is not drawn, and why; nothing where all of it is, or none of it is."""
    if not any(_drawable(frame).any() for frame in frames.values()):
        return ""
    told = []
    for why in ("0", "no number"):
        names = [styles[run].name for run, frame in frames.items() if why in _gaps(frame)]
        told += [f"Not drawn where it is {why}: {', '.join(names)}."] if names else []
    return " ".join(told)


def _gaps(frame: pd.DataFrame) -> set[str]:
    """What the values are that a logarithm has no place for."""
    return {"0" if value == 0 else "no number" for value in frame.loc[~_drawable(frame), "gradient_norm"]}


def _alt(title: str, frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    words = [
        f"{styles[run].name} {_said(frame['gradient_norm'].iloc[0])} to {_said(frame['gradient_norm'].iloc[-1])}"
        for run, frame in frames.items()
        if not frame.empty
    ]
    return f"{title}: {'; '.join(words)}." if words else f"{title}: nothing to show."


def _said(value: float) -> str:
    return format_digits(value, 2) if math.isfinite(value) else "no number"


GRADIENTS = LayerChart(
    "gradient",
    "The norm of the loss's gradient by each hidden layer's kernel, on 128 training images. Logarithmic.",
    gradient_frame,
    gradient_figure,
    gradient_alt,
    gap_text,
)
