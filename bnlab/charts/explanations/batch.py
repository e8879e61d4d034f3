"""The stages of batch normalization for one feature's mini-batch."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import EPSILON, Floats, normalize_batch
from bnlab.charts.explanations.layout import static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import format_digits
from bnlab.charts.style import BLUE, GREY, VERMILLION

STAGES = {"x": "x", "centred": "x − μ", "normalized": "x̂", "y": "γ x̂ + β"}
MAX_BATCH = 32
MIN_REACH = 6.0  # of the x axis, from zero
SPREAD_OFFSET = 0.24  # from a stage down to its mean ± standard deviation


def sample_batch(size: int, mean: float, std: float, seed: int, moved: float = 0.0) -> Floats:
    """`[size]`: normally distributed, `moved` added to the first value; a larger batch starts with a smaller one."""
    values = mean + std * np.random.default_rng(seed).standard_normal(MAX_BATCH)[:size]
    values[:1] += moved
    return values


def batch_frame(values: Floats, gamma: float = 1.0, beta: float = 0.0, epsilon: float = EPSILON) -> pd.DataFrame:
    """One row per example, one column per stage: x, centred, normalized, y. `values` has the shape `[batch]`."""
    if values.size == 0:
        return pd.DataFrame(columns=list(STAGES), dtype=np.float64)
    return pd.DataFrame(
        {
            "x": values,
            "centred": values - values.mean(),
            "normalized": normalize_batch(values, epsilon=epsilon),
            "y": normalize_batch(values, gamma=gamma, beta=beta, epsilon=epsilon),
        }
    )


def batch_figure(frame: pd.DataFrame) -> go.Figure:
    """The stages from top to bottom, each example as a path; below each stage its mean ± standard deviation."""
    if frame.empty:
        return message_figure("", "An empty batch has no mean")
    values = frame[list(STAGES)].to_numpy()
    reach = max(MIN_REACH, float(np.ceil(np.abs(values[np.isfinite(values)]).max(initial=0) + 0.5)))
    heights = np.arange(len(STAGES))[::-1]
    layout = static_layout(
        titled_axis("value", range=[-reach, reach], zeroline=True),
        {"range": [-0.6, len(STAGES) - 0.6], "tickvals": heights, "ticktext": list(STAGES.values()), "showgrid": False},
    )
    traces = [
        _path_trace(frame.iloc[1:], heights, "the other examples", BLUE) | {"uid": "others"},
        _path_trace(frame.iloc[:1], heights, "example 1", VERMILLION) | {"uid": "first"},
        _spread_trace(frame, heights),
    ]
    return plain_figure(traces, layout)


def _path_trace(frame: pd.DataFrame, heights: np.ndarray, name: str, color: str) -> dict[str, Any]:
    """One line through all stages for each row of `frame`; NaN separates them."""
    gap = np.full((len(frame), 1), np.nan)
    x = np.hstack([frame[list(STAGES)].to_numpy(), gap])
    return {
        "type": "scatter",
        "name": name,
        "x": x.ravel(),
        "y": np.tile([*heights, np.nan], len(frame)),
        "mode": "lines+markers",
        "line": {"color": color, "width": 1.5},
        "marker": {"size": 11},
        "hovertemplate": "%{x:.4g}",
    }


def _spread_trace(frame: pd.DataFrame, heights: np.ndarray) -> dict[str, Any]:
    values = frame[list(STAGES)].to_numpy()
    return {
        "type": "scatter",
        "uid": "spread",
        "name": "mean ± standard deviation",
        "x": values.mean(axis=0),
        "y": heights - SPREAD_OFFSET,
        "error_x": {"type": "data", "array": values.std(axis=0), "color": GREY, "thickness": 3, "width": 6},
        "mode": "markers",
        "marker": {"color": GREY, "size": 11, "symbol": "diamond"},
        "hovertemplate": "mean %{x:.4f}",
    }


def batch_alt(frame: pd.DataFrame) -> str:
    """Mean and standard deviation of the batch, normalized, and after gamma and beta."""
    if frame.empty:
        return "An empty batch has no mean."
    stages = [
        f"mean {_rounded_text(frame[stage].mean())} and standard deviation {_rounded_text(frame[stage].std(ddof=0))}"
        for stage in ("x", "normalized", "y")
    ]
    return f"{len(frame)} values with {stages[0]}; normalized, {stages[1]}; after gamma and beta, {stages[2]}."


def _rounded_text(value: float) -> str:
    """A number as text, without the rounding error of a zero."""
    return format_digits(round(value, 9))
