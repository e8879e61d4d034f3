"""moving_mean and moving_variance filling up from their initial values."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import MOMENTUM
from bnlab.charts.explanations.layout import BLUE, GREY, ORANGE, static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import format_fixed

# What the batches are drawn from.
MEAN, VARIANCE = 3.0, 6.0
BATCH_SIZE = 32
BATCH_VARIANCE = VARIANCE * (BATCH_SIZE - 1) / BATCH_SIZE
"""What batches have on average, whose variance is taken about their own mean."""
INITIAL = {"mean": 0.0, "variance": 1.0}
COLOURS = {"mean": BLUE, "variance": ORANGE}


def moving_frame(momentum: float = MOMENTUM, steps: int = 300, seed: int = 0) -> pd.DataFrame:
    """Columns step (from 0), batch_mean, batch_variance, moving_mean, moving_variance, initial_weight.

    Row 0 is before training: it has no batch. moving = momentum · moving + (1 − momentum) · batch at each step, so
    after n steps the initial value still weighs momentumⁿ. Source: Keras's BatchNormalization.
    """
    batches = MEAN + np.sqrt(VARIANCE) * np.random.default_rng(seed).standard_normal((steps, BATCH_SIZE))
    measured = {"mean": batches.mean(axis=1), "variance": batches.var(axis=1)}
    step = np.arange(steps + 1)
    columns = {"step": step, "initial_weight": momentum**step}
    for name, values in measured.items():
        columns[f"batch_{name}"] = np.array([np.nan, *values])
        columns[f"moving_{name}"] = np.array(_filled_up(INITIAL[name], values, momentum))
    return pd.DataFrame(columns)


def _filled_up(moving: float, values: np.ndarray, momentum: float) -> list[float]:
    filled = [moving]
    for value in values.tolist():
        moving = momentum * moving + (1 - momentum) * value
        filled.append(moving)
    return filled


def moving_figure(frame: pd.DataFrame) -> go.Figure:
    """Both moving statistics over the steps, each with its batches' own values as dots."""
    if frame.empty:
        return message_figure("", "No steps")
    layout = static_layout(titled_axis("step"), titled_axis("value", range=[-0.5, 12]))
    dots = [_dots(frame, name) for name in COLOURS]
    return plain_figure(dots + [_line(frame, name) for name in COLOURS], layout)


def _dots(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": f"batch_{name}",
        "name": f"each batch's {name}",
        "x": frame["step"].to_numpy(),
        "y": frame[f"batch_{name}"].to_numpy(),
        "mode": "markers",
        "marker": {"size": 5, "color": COLOURS[name], "opacity": 0.4},
        "hovertemplate": "step %{x}: %{y:.3g}",
    }


def _line(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": f"moving_{name}",
        "name": f"moving_{name}",
        "x": frame["step"].to_numpy(),
        "y": frame[f"moving_{name}"].to_numpy(),
        "mode": "lines",
        "line": {"color": COLOURS[name], "width": 4},
        "hovertemplate": "step %{x}: %{y:.3g}",
    }


def moving_alt(frame: pd.DataFrame) -> str:
    """Where the moving statistics have got to, and where they are going."""
    if frame.empty:
        return "No steps."
    last = frame.iloc[-1]
    return (
        f"After {last.step:.0f} steps: moving_mean {format_fixed(last.moving_mean)} (from 0, towards {MEAN:g}), "
        f"moving_variance {format_fixed(last.moving_variance)} (from 1, towards {format_fixed(BATCH_VARIANCE)}, which is "
        f"{BATCH_SIZE - 1}/{BATCH_SIZE} of {VARIANCE:g}: what a batch of {BATCH_SIZE} has on average)."
    )


def weight_figure(frame: pd.DataFrame) -> go.Figure:
    """The share of the initial value in the moving statistics."""
    if frame.empty:
        return message_figure("", "No steps")
    steps = titled_axis("step", range=[0, 1.02 * frame["step"].max()])
    layout = static_layout(steps, titled_axis("weight of the initial value", range=[0, 1.05], tickformat=".0%"))
    trace = {
        "type": "scatter",
        "uid": "initial_weight",
        "name": "momentum to the power of the step",
        "x": frame["step"].to_numpy(),
        "y": frame["initial_weight"].to_numpy(),
        "mode": "lines",
        "line": {"color": GREY, "width": 4},
        "fill": "tozeroy",
        "hovertemplate": "step %{x}: %{y:.1%}<extra></extra>",
    }
    return plain_figure([trace], layout)


def weight_alt(frame: pd.DataFrame) -> str:
    """How much of the initial value is left."""
    if frame.empty:
        return "No steps."
    last = frame.iloc[-1]
    return f"After {last.step:.0f} steps the initial value still weighs {100 * last.initial_weight:.3g} %."
