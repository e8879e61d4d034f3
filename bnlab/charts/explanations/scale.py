"""The scale of the input, and gradient descent on it, with and without batch normalization of the input."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import EPSILON, Floats, normalize_batch
from bnlab.charts.explanations.layout import dashed_line, line_trace, static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.style import BLUE, GREY, VERMILLION
from bnlab.specs.choices import RESCALINGS

FACTORS = np.logspace(-7, 1, 81)
EXAMPLES = 1_000
DESCENT_BATCH_SIZE, PIXELS = 256, 8
STEPS = 100
DIVERGENCE_LOSS = 1e4
NAMES = {"plain": "without BN", "normalized": "BN on the input"}

PLAIN_LINE = {"color": VERMILLION, "width": 3, "dash": "dash"}
NORMALIZED_LINE = {"color": BLUE, "width": 4}


# Standard deviations


def raw_pixel(seed: int = 0) -> Floats:
    """`[1000]`: one pixel's values in 1,000 images, integers from 0 to 255."""
    return np.random.default_rng(seed).integers(0, 256, EXAMPLES).astype(np.float64)


def scale_frame(factors: Floats = FACTORS, epsilon: float = EPSILON) -> pd.DataFrame:
    """Columns factor, plain, normalized: the standard deviation of scaled pixels, without BN and after it."""
    pixel = raw_pixel()
    rows = [(f, (f * pixel).std(), normalize_batch(f * pixel, epsilon=epsilon).std()) for f in factors.tolist()]
    return pd.DataFrame(rows, columns=["factor", "plain", "normalized"])


def scale_figure(frame: pd.DataFrame, factor: float) -> go.Figure:
    """Standard deviations over the factor, on logarithmic axes; `factor` and bnlab's rescalings are marked."""
    if frame.empty:
        return message_figure("", "No scales")
    dotted = {"color": GREY, "width": 1, "dash": "dot"}
    layout = static_layout(
        titled_axis("pixels are multiplied by", type="log", exponentformat="power", dtick=2),
        titled_axis("standard deviation", type="log", exponentformat="power", range=[-4.2, 3.2], dtick=1),
        shapes=[dashed_line(factor), *[dashed_line(r.factor) | {"line": dotted} for r in RESCALINGS.values()]],
        annotations=[_factor_label(rescaling.factor, rescaling.title) for rescaling in RESCALINGS.values()],
    )
    hover = "× %{x:.2g}: %{y:.3g}"
    plain = line_trace(frame, "factor", "plain", "without BN", PLAIN_LINE, hover)
    normalized = line_trace(frame, "factor", "normalized", "after BN", NORMALIZED_LINE, hover)
    return plain_figure([plain, normalized], layout)


def _factor_label(factor: float, title: str) -> dict[str, Any]:
    """`title` at the lower end of the line at `factor`; annotations on a logarithmic axis have logarithms as x."""
    position = {"x": float(np.log10(factor)), "y": 0.02, "yref": "paper", "xanchor": "right", "yanchor": "bottom"}
    return {"text": title, "textangle": -90, "showarrow": False, **position}


def scale_alt(frame: pd.DataFrame) -> str:
    """The smallest factor at which BN's output has nearly the standard deviation 1."""
    restored = frame.loc[frame["normalized"] > 0.9, "factor"]
    if restored.empty:
        return "BN brings none of these scales to a standard deviation of 1."
    return (
        f"BN brings every pixel to a standard deviation of about 1 from a factor of {restored.min():.1g} up; "
        "below it the variance drowns in epsilon and the pixels stay small."
    )


# Gradient descent


def descent_frame(factor: float, learning_rate: float, steps: int = STEPS, seed: int = 0) -> pd.DataFrame:
    """Columns step, plain, normalized: half the mean squared error of one linear unit, NaN once it has diverged.

    The inputs are 8 raw pixels (0 to 255) times `factor`; the target is a weighted sum of them with variance 1.
    """
    rng = np.random.default_rng(seed)
    raw = rng.integers(0, 256, (DESCENT_BATCH_SIZE, PIXELS)).astype(np.float64)
    weighted = raw @ rng.standard_normal(PIXELS)
    target = (weighted - weighted.mean()) / weighted.std()
    inputs = factor * raw
    return pd.DataFrame(
        {
            "step": np.arange(steps + 1),
            "plain": _losses(inputs, target, learning_rate, steps),
            "normalized": _losses(normalize_batch(inputs), target, learning_rate, steps),
        }
    )


def _losses(inputs: Floats, target: Floats, learning_rate: float, steps: int) -> Floats:
    """`[steps + 1]`: the loss before each step and after the last; weights and bias start at zero."""
    with_bias = np.column_stack([inputs, np.ones(len(inputs))])
    weights = np.zeros(with_bias.shape[1])
    losses = np.full(steps + 1, np.nan)
    for step in range(steps + 1):
        error = with_bias @ weights - target
        loss = float(np.mean(error**2)) / 2
        if loss > DIVERGENCE_LOSS:
            break
        losses[step] = loss
        weights -= learning_rate * with_bias.T @ error / len(error)
    return losses


def descent_figure(frame: pd.DataFrame) -> go.Figure:
    """The loss over the steps; a line that diverges leaves the figure at the top."""
    if frame.empty:
        return message_figure("", "No steps")
    yaxis = titled_axis(
        "loss", type="log", exponentformat="power", range=[-4.2, np.log10(DIVERGENCE_LOSS) + 0.2], dtick=2
    )
    traces = [_loss_trace(frame, "plain", PLAIN_LINE), _loss_trace(frame, "normalized", NORMALIZED_LINE)]
    return plain_figure(traces, static_layout(titled_axis("step", range=[-1, len(frame)]), yaxis))


def _loss_trace(frame: pd.DataFrame, column: str, line: dict[str, Any]) -> dict[str, Any]:
    trace = line_trace(frame, "step", column, NAMES[column], line, "step %{x}: %{y:.3g}")
    diverged = np.flatnonzero(np.isnan(trace["y"]))
    if not diverged.size:
        return trace
    y = trace["y"].copy()
    y[diverged[0]] = 100 * DIVERGENCE_LOSS  # up and out of the figure
    return trace | {"name": f"{NAMES[column]} (diverged)", "y": y}


def descent_alt(frame: pd.DataFrame) -> str:
    """Both losses after the last step, in a sentence."""
    if frame.empty:
        return "No steps."
    return f"Loss after {len(frame) - 1} steps: {', '.join(f'{NAMES[c]} {_end_text(frame[c])}' for c in NAMES)}."


def _end_text(losses: pd.Series) -> str:
    if np.isfinite(losses.iloc[-1]):
        return f"{losses.iloc[-1]:.2g}"
    steps = losses.count()
    return f"diverged after {steps} step{'' if steps == 1 else 's'}"
