"""moving_mean and moving_variance as they move away from their initial values."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import MOMENTUM
from bnlab.charts.explanations.layout import line_trace, static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import format_fixed
from bnlab.charts.style import BLUE, GREY, VERMILLION

MEAN, VARIANCE = 3.0, 6.0  # of the distribution of the batches
BATCH_SIZE = 32
BATCH_VARIANCE = VARIANCE * (BATCH_SIZE - 1) / BATCH_SIZE
"""The average variance of a batch about its mean."""
INITIAL = {"mean": 0.0, "variance": 1.0}
COLORS = {"mean": BLUE, "variance": VERMILLION}


def moving_frame(momentum: float = MOMENTUM, steps: int = 300, seed: int = 0) -> pd.DataFrame:
    """Columns step (from 0), batch_mean, batch_variance, moving_mean, moving_variance, initial_weight.

    Row 0 is before training and has no batch. Each step sets moving = momentum · moving + (1 − momentum) · batch, so
    after n steps the initial value has the weight momentumⁿ. Source: Keras's BatchNormalization.
    """
    batches = MEAN + np.sqrt(VARIANCE) * np.random.default_rng(seed).standard_normal((steps, BATCH_SIZE))
    statistics = {"mean": batches.mean(axis=1), "variance": batches.var(axis=1)}
    step = np.arange(steps + 1)
    columns = {"step": step, "initial_weight": momentum**step}
    for name, values in statistics.items():
        columns[f"batch_{name}"] = np.array([np.nan, *values])
        columns[f"moving_{name}"] = np.array(_moving_averages(INITIAL[name], values, momentum))
    return pd.DataFrame(columns)


def _moving_averages(initial: float, values: np.ndarray, momentum: float) -> list[float]:
    """The initial value, and the moving average after each of `values`."""
    averages = [initial]
    for value in values.tolist():
        averages.append(momentum * averages[-1] + (1 - momentum) * value)
    return averages


def moving_figure(frame: pd.DataFrame) -> go.Figure:
    """Both moving statistics over the steps as lines, and the batches' statistics as dots."""
    if frame.empty:
        return message_figure("", "No steps")
    layout = static_layout(titled_axis("step"), titled_axis("value", range=[-0.5, 12]))
    dots = [_batch_trace(frame, name) for name in COLORS]
    return plain_figure(dots + [_moving_trace(frame, name) for name in COLORS], layout)


def _batch_trace(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": f"batch_{name}",
        "name": f"each batch's {name}",
        "x": frame["step"].to_numpy(),
        "y": frame[f"batch_{name}"].to_numpy(),
        "mode": "markers",
        "marker": {"size": 5, "color": COLORS[name], "opacity": 0.4},
        "hovertemplate": "step %{x}: %{y:.3g}",
    }


def _moving_trace(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    column, line = f"moving_{name}", {"color": COLORS[name], "width": 4}
    return line_trace(frame, "step", column, column, line, "step %{x}: %{y:.3g}")


def moving_alt(frame: pd.DataFrame) -> str:
    """The last moving statistics, and the values that they converge to."""
    if frame.empty:
        return "No steps."
    last = frame.iloc[-1]
    mean, variance = format_fixed(last.moving_mean), format_fixed(last.moving_variance)
    return (
        f"After {last.step:.0f} steps: moving_mean {mean} (from 0, towards {MEAN:g}), "
        f"moving_variance {variance} (from 1, towards {format_fixed(BATCH_VARIANCE)}, which is "
        f"{BATCH_SIZE - 1}/{BATCH_SIZE} of {VARIANCE:g}: what a batch of {BATCH_SIZE} has on average)."
    )


def weight_figure(frame: pd.DataFrame) -> go.Figure:
    """The weight of the initial value in the moving statistics, over the steps."""
    if frame.empty:
        return message_figure("", "No steps")
    steps = titled_axis("step", range=[0, 1.02 * frame["step"].max()])
    layout = static_layout(steps, titled_axis("weight of the initial value", range=[0, 1.05], tickformat=".0%"))
    name, line = "momentum to the power of the step", {"color": GREY, "width": 4}
    trace = line_trace(frame, "step", "initial_weight", name, line, "step %{x}: %{y:.1%}<extra></extra>")
    return plain_figure([trace | {"fill": "tozeroy"}], layout)


def weight_alt(frame: pd.DataFrame) -> str:
    """The weight of the initial value after the last step."""
    if frame.empty:
        return "No steps."
    last = frame.iloc[-1]
    return f"After {last.step:.0f} steps the initial value still weighs {100 * last.initial_weight:.3g} %."
