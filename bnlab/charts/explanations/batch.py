"""One feature's mini-batch on its way through batch normalization."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import EPSILON, Floats, normalize_batch
from bnlab.charts.explanations.layout import BLUE, GREY, ORANGE, static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import format_digits

STAGES = {"x": "x", "centred": "x − μ", "normalized": "x̂", "y": "γ x̂ + β"}
MAX_BATCH = 32
NARROWEST = 6.0
BELOW = 0.24


def sample_batch(size: int, mean: float, std: float, seed: int, moved: float = 0.0) -> Floats:
    """`size` values from a normal distribution, the first one `moved`; a larger batch begins with the smaller one's."""
    values = mean + std * np.random.default_rng(seed).standard_normal(MAX_BATCH)[:size]
    values[:1] += moved
    return values


def batch_frame(values: Floats, gamma: float = 1.0, beta: float = 0.0, epsilon: float = EPSILON) -> pd.DataFrame:
    """One row an example, one column a stage: x, centred, normalized, y. `values` has the shape `[batch]`."""
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
    """The stages from top to bottom, each example a path through them; under each stage its mean ± its std."""
    if frame.empty:
        return message_figure("", "An empty batch has no mean")
    finite = frame[list(STAGES)].to_numpy()[np.isfinite(frame[list(STAGES)])]
    widest = max(NARROWEST, float(np.ceil(np.abs(finite).max(initial=0) + 0.5)))
    heights = np.arange(len(STAGES))[::-1]
    layout = static_layout(
        titled_axis("value", range=[-widest, widest], zeroline=True),
        {"range": [-0.6, len(STAGES) - 0.6], "tickvals": heights, "ticktext": list(STAGES.values()), "showgrid": False},
    )
    traces = [
        _paths(frame.iloc[1:], heights, "the other examples", BLUE) | {"uid": "others"},
        _paths(frame.iloc[:1], heights, "example 1", ORANGE) | {"uid": "first"},
        _spreads(frame, heights),
    ]
    return plain_figure(traces, layout)


def _paths(frame: pd.DataFrame, heights: np.ndarray, name: str, colour: str) -> dict[str, Any]:
    """One line through all stages for each row of `frame`, parted by gaps."""
    gap = np.full((len(frame), 1), np.nan)
    x = np.hstack([frame[list(STAGES)].to_numpy(), gap])
    return {
        "type": "scatter",
        "name": name,
        "x": x.ravel(),
        "y": np.tile([*heights, np.nan], len(frame)),
        "mode": "lines+markers",
        "line": {"color": colour, "width": 1.5},
        "marker": {"size": 11},
        "hovertemplate": "%{x:.4g}",
    }


def _spreads(frame: pd.DataFrame, heights: np.ndarray) -> dict[str, Any]:
    values = frame[list(STAGES)].to_numpy()
    return {
        "type": "scatter",
        "uid": "spread",
        "name": "mean ± standard deviation",
        "x": values.mean(axis=0),
        "y": heights - BELOW,
        "error_x": {"type": "data", "array": values.std(axis=0), "color": GREY, "thickness": 3, "width": 6},
        "mode": "markers",
        "marker": {"color": GREY, "size": 11, "symbol": "diamond"},
        "hovertemplate": "mean %{x:.4f}",
    }


def batch_alt(frame: pd.DataFrame) -> str:
    """What became of the batch, in a sentence."""
    if frame.empty:
        return "An empty batch has no mean."
    ends = [
        f"mean {_plain(frame[stage].mean())} and standard deviation {_plain(frame[stage].std(ddof=0))}"
        for stage in ("x", "normalized", "y")
    ]
    return f"{len(frame)} values with {ends[0]}; normalized, {ends[1]}; after gamma and beta, {ends[2]}."


def _plain(value: float) -> str:
    """Without what rounding leaves of a zero."""
    return format_digits(round(value, 9))
