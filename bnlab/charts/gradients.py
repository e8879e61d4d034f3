"""Gradient norms by hidden layer: over training, and by depth at one step."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.figures import LayerChart, log_axis, message_figure, plain_figure, raise_zeros, zero_level
from bnlab.charts.formatting import format_digits
from bnlab.charts.style import Style
from bnlab.runs.thinning import thin

MAX_POINTS = 150
MAX_MARKED_POINTS = 60
MAX_DEPTH_TICKS = 12


# One layer over training


def gradient_frame(layers: pd.DataFrame, layer: str, steps_per_epoch: int) -> pd.DataFrame:
    """Columns epoch, gradient_norm of one hidden layer; `layers` as `bnlab.runs.reader.layers_frame` makes it."""
    rows = layers[layers["layer"] == layer]
    frame = pd.DataFrame({"epoch": rows["step"] / steps_per_epoch, "gradient_norm": rows["gradient_norm"]})
    return frame.reset_index(drop=True)


def gradient_figure(frames: Mapping[str, pd.DataFrame], layer: str, styles: Mapping[str, Style]) -> go.Figure:
    """One line per run over its epochs, on a logarithmic axis; a long one keeps its peaks (see `thin`)."""
    axis = {"title": {"text": "epoch"}, "rangemode": "tozero", "hoverformat": ".2f"}
    return _norm_figure(f"Gradient norm of {layer}", frames, "epoch", styles, axis)


def gradient_alt(frames: Mapping[str, pd.DataFrame], layer: str, styles: Mapping[str, Style]) -> str:
    """Each run's first and last gradient norm, in a sentence."""
    return _norm_alt(f"Gradient norm of {layer} from the first evaluation to the last", frames, styles)


# All layers at one step


def depth_frame(layers: pd.DataFrame, names: Sequence[str], step: int) -> pd.DataFrame:
    """Columns depth (from 1), gradient_norm at the latest evaluation up to `step`.

    `layers` as `bnlab.runs.reader.layers_frame` makes it; `names` are the hidden layers, from the input on.
    """
    latest = layers.loc[layers["step"] <= step, "step"].max()
    norms = layers[layers["step"] == latest].set_index("layer")["gradient_norm"]
    depths = {name: depth for depth, name in enumerate(names, start=1) if name in norms.index}
    return pd.DataFrame({"depth": list(depths.values()), "gradient_norm": norms[list(depths)].to_numpy(float)})


def depth_figure(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> go.Figure:
    """One line per run over its hidden layers, on a logarithmic axis."""
    deepest = max((len(frame) for frame in frames.values()), default=0)
    tick_distance = max(1, math.ceil(deepest / MAX_DEPTH_TICKS))
    axis = {"title": {"text": "hidden layer (1 = nearest to the input)"}, "dtick": tick_distance, "tick0": 1}
    return _norm_figure("Gradient norm by depth", frames, "depth", styles, axis)


def depth_alt(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    """The gradient norm at each run's first and last hidden layer, in a sentence."""
    return _norm_alt("Gradient norm from the first hidden layer to the last", frames, styles)


# Both


def gap_text(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    """Names the runs with zeros, which a logarithmic axis shows at its edge, and with values that are not drawn.

    Empty if there are none or nothing is drawn.
    """
    if not any(_is_positive(frame).any() for frame in frames.values()):
        return ""
    parts = {
        "At the lower edge where it is 0": [
            run for run, frame in frames.items() if (frame["gradient_norm"] == 0).any()
        ],
        "Not drawn where it is not finite": [run for run, frame in frames.items() if not _is_drawable(frame).all()],
    }
    return " ".join(f"{title}: {', '.join(styles[run].name for run in runs)}." for title, runs in parts.items() if runs)


def _norm_figure(
    title: str, frames: Mapping[str, pd.DataFrame], x: str, styles: Mapping[str, Style], axis: dict[str, Any]
) -> go.Figure:
    drawable = {run: frame[_is_drawable(frame)] for run, frame in frames.items()}
    shown = {run: frame for run, frame in drawable.items() if not frame.empty}
    if not any(_is_positive(frame).any() for frame in shown.values()):
        is_empty = all(frame.empty for frame in frames.values())
        return message_figure(title, "Nothing measured yet" if is_empty else "No gradient reaches this layer")
    norms = np.concatenate([frame["gradient_norm"].to_numpy(float) for frame in shown.values()])
    level = zero_level(norms)
    layout = {
        "title": {"text": title},
        "showlegend": False,
        "hovermode": "x unified",
        "margin": {"l": 56, "r": 8, "t": 40, "b": 8},
        "xaxis": axis,
        "yaxis": log_axis(raise_zeros(norms, level)),
    }
    return plain_figure([_norm_trace(run, frame, x, styles[run], level) for run, frame in shown.items()], layout)


def _norm_trace(run: str, frame: pd.DataFrame, x: str, style: Style, level: float) -> dict[str, Any]:
    frame = frame.iloc[thin(frame["gradient_norm"].to_numpy(float), MAX_POINTS)]
    norms = frame["gradient_norm"].to_numpy(np.float32)
    return {
        "type": "scatter",
        "uid": run,
        "name": style.trace_name,
        "x": frame[x].to_numpy(np.float32),
        "y": raise_zeros(norms, level),
        "customdata": norms,
        "mode": "lines+markers" if len(frame) < MAX_MARKED_POINTS else "lines",
        "line": style.line(),
        "marker": {"size": 6},
        "hovertemplate": "%{customdata:.3g}",
    }


def _norm_alt(title: str, frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    parts = []
    for run, frame in frames.items():
        if not frame.empty:
            first, last = (_norm_text(frame["gradient_norm"].iloc[end]) for end in (0, -1))
            parts.append(f"{styles[run].name} {first} to {last}")
    return f"{title}: {'; '.join(parts)}." if parts else f"{title}: nothing to show."


def _norm_text(norm: float) -> str:
    return format_digits(norm, 2) if math.isfinite(norm) else "not finite"


def _is_drawable(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Whether each value is finite."""
    return frame["gradient_norm"].between(0, math.inf, inclusive="left")


def _is_positive(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Whether each value is positive and finite: a logarithmic axis of others alone has no labels."""
    return frame["gradient_norm"].between(0, math.inf, inclusive="neither")


GRADIENTS = LayerChart(
    "gradient",
    "The norm of the loss's gradient by each hidden layer's kernel, on 128 training images. Logarithmic.",
    gradient_frame,
    gradient_figure,
    gradient_alt,
    gap_text,
)
