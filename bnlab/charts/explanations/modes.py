"""One example's output in many batches, in training mode and in inference mode."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import normalize, normalize_batch
from bnlab.charts.explanations.layout import line_trace, static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import format_fixed
from bnlab.charts.style import BLUE, VERMILLION

BATCHES = 30
MAX_BATCH = 256
MEAN, STD = 2.0, 2.0  # of the distribution of the other examples
# Of the y axis, which does not change with the example's value: the second one for a moving variance of 0.
LIMITS = (4.5, 200.0)


def modes_frame(value: float, batch_size: int, batches: int = BATCHES, seed: int = 0) -> pd.DataFrame:
    """Columns batch (from 1), training, inference: the outputs for an example of `value` in each of the batches.

    After a long training on batches of size m, moving_mean is MEAN and moving_variance the batches' average variance,
    (m − 1) / m · STD², which is 0 for m = 1.
    """
    noise = np.random.default_rng(seed).standard_normal((batches, MAX_BATCH - 1))
    others = MEAN + STD * noise[:, : batch_size - 1]
    values = np.hstack([np.full((batches, 1), value), others])
    inference = normalize(np.full(batches, value), MEAN, STD**2 * (batch_size - 1) / batch_size)
    training = normalize_batch(values.T)[0]
    return pd.DataFrame({"batch": np.arange(1, batches + 1), "training": training, "inference": inference})


def modes_figure(frame: pd.DataFrame) -> go.Figure:
    """The example's output by batch, one line per mode."""
    if frame.empty:
        return message_figure("", "No batches")
    limit = LIMITS[bool(frame["inference"].abs().max() > LIMITS[0])]
    layout = static_layout(titled_axis("batch"), titled_axis("output for the same example", range=[-limit, limit]))
    inference_line, training_line = {"color": BLUE, "width": 4}, {"color": VERMILLION, "width": 1}
    inference = line_trace(frame, "batch", "inference", "inference mode", inference_line, "%{y:.3f}")
    training = line_trace(frame, "batch", "training", "training mode", training_line, "%{y:.3f}")
    training |= {"mode": "lines+markers", "marker": {"size": 11}}
    return plain_figure([inference, training], layout)


def modes_alt(frame: pd.DataFrame) -> str:
    """The range of the outputs in training mode, and the output in inference mode."""
    if frame.empty:
        return "No batches."
    low, high = format_fixed(frame["training"].min()), format_fixed(frame["training"].max())
    inference = format_fixed(frame["inference"].iloc[0])
    if frame["training"].min() == frame["training"].max():
        return (
            f"Alone in its batch, the example is the batch's mean and comes out as {low} in training mode; in "
            f"inference mode as {inference}: moving_variance has come to 0, and epsilon alone is left to divide by."
        )
    return (
        f"In training mode the same example comes out between {low} and {high}, depending on its batch; "
        f"in inference mode always as {inference}."
    )
