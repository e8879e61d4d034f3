"""One example in many batches: training mode against inference mode."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import normalize, normalize_batch
from bnlab.charts.explanations.layout import BLUE, ORANGE, static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import format_fixed

BATCHES = 30
MAX_BATCH = 256
# What the other examples are drawn from.
MEAN, STD = 2.0, 2.0
# The axis stays as it is while the example's value moves; it is another one where epsilon alone is left to divide by.
LIMITS = (4.5, 200.0)


def modes_frame(value: float, batch_size: int, batches: int = BATCHES, seed: int = 0) -> pd.DataFrame:
    """Columns batch (from 1), training, inference: the outputs for an example of `value` in each of the batches.

    After long training on batches of that size moving_mean has come to MEAN, and moving_variance to their average
    variance: (m − 1) / m of STD², 0 in batches of one.
    """
    companions = np.random.default_rng(seed).standard_normal((batches, MAX_BATCH - 1))
    others = MEAN + STD * companions[:, : batch_size - 1]
    values = np.hstack([np.full((batches, 1), value), others])
    inference = normalize(np.full(batches, value), MEAN, STD**2 * (batch_size - 1) / batch_size)
    training = normalize_batch(values.T)[0]
    return pd.DataFrame({"batch": np.arange(1, batches + 1), "training": training, "inference": inference})


def modes_figure(frame: pd.DataFrame) -> go.Figure:
    """The example's output by batch, a line a mode."""
    if frame.empty:
        return message_figure("", "No batches")
    limit = LIMITS[bool(frame["inference"].abs().max() > LIMITS[0])]
    layout = static_layout(titled_axis("batch"), titled_axis("output for the same example", range=[-limit, limit]))
    inference = _trace(frame, "inference", "inference mode", BLUE, mode="lines", line={"width": 4})
    training = _trace(
        frame, "training", "training mode", ORANGE, mode="lines+markers", line={"width": 1}, marker={"size": 11}
    )
    return plain_figure([inference, training], layout)


def _trace(frame: pd.DataFrame, column: str, name: str, colour: str, **more: Any) -> dict[str, Any]:
    more["line"] = {"color": colour, **more["line"]}
    return {
        "type": "scatter",
        "uid": column,
        "name": name,
        "x": frame["batch"].to_numpy(),
        "y": frame[column].to_numpy(),
        "hovertemplate": "%{y:.3f}",
        **more,
    }


def modes_alt(frame: pd.DataFrame) -> str:
    """The range of outputs in training mode, against the one of inference mode."""
    if frame.empty:
        return "No batches."
    low, high = frame["training"].min(), frame["training"].max()
    inference = format_fixed(frame["inference"].iloc[0])
    if low == high:
        return (
            f"Alone in its batch, the example is the batch's mean and comes out as {format_fixed(low)} in training mode; in "
            f"inference mode as {inference}: moving_variance has come to 0, and epsilon alone is left to divide by."
        )
    return (
        f"In training mode the same example comes out between {format_fixed(low)} and {format_fixed(high)}, depending on its batch; "
        f"in inference mode always as {inference}."
    )
