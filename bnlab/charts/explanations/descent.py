"""Gradient descent on inputs of any scale, with and without batch normalization in front."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import Floats, normalize_batch
from bnlab.charts.explanations.layout import BLUE, ORANGE, still_layout, titled
from bnlab.charts.style import message_figure, plain_figure

EXAMPLES, PIXELS = 256, 8
STEPS = 100
DIVERGED = 1e4
NAMES = {"plain": "without BN", "normalized": "BN on the input"}


def descent_frame(factor: float, learning_rate: float, steps: int = STEPS, seed: int = 0) -> pd.DataFrame:
    """Columns step, plain, normalized: half the mean squared error of one linear unit, missing once it has diverged.

    The inputs are 8 raw pixels (0 to 255) times `factor`; the target is a weighted sum of them with variance 1.
    """
    rng = np.random.default_rng(seed)
    raw = rng.integers(0, 256, (EXAMPLES, PIXELS)).astype(np.float64)
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
    """The loss before each step and after the last; weights and bias start at zero."""
    with_bias = np.column_stack([inputs, np.ones(len(inputs))])
    weights = np.zeros(with_bias.shape[1])
    losses = np.full(steps + 1, np.nan)
    for step in range(steps + 1):
        error = with_bias @ weights - target
        loss = float(np.mean(error**2)) / 2
        if loss > DIVERGED:
            break
        losses[step] = loss
        weights -= learning_rate * with_bias.T @ error / len(error)
    return losses


def descent_figure(frame: pd.DataFrame) -> go.Figure:
    """The loss over the steps; a line that has diverged leaves the figure at the top."""
    if frame.empty:
        return message_figure("", "No steps")
    yaxis = titled("loss", type="log", exponentformat="power", range=[-4.2, np.log10(DIVERGED) + 0.2], dtick=2)
    plain = _line(frame, "plain", {"color": ORANGE, "width": 3, "dash": "dash"})
    normalized = _line(frame, "normalized", {"color": BLUE, "width": 4})
    return plain_figure([plain, normalized], still_layout(titled("step", range=[-1, len(frame)]), yaxis))


def _line(frame: pd.DataFrame, column: str, line: dict[str, Any]) -> dict[str, Any]:
    y = frame[column].to_numpy()
    diverged = np.flatnonzero(np.isnan(y))
    if diverged.size:  # up and out, where there is no number left to draw
        y = y.copy()
        y[diverged[0]] = 100 * DIVERGED
    return {
        "type": "scatter",
        "uid": column,
        "name": NAMES[column] + (" (diverged)" if diverged.size else ""),
        "x": frame["step"].to_numpy(),
        "y": y,
        "mode": "lines",
        "line": line,
        "hovertemplate": "step %{x}: %{y:.3g}",
    }


def descent_alt(frame: pd.DataFrame) -> str:
    """Where both losses end, in a sentence."""
    if frame.empty:
        return "No steps."
    return f"Loss after {len(frame) - 1} steps: {', '.join(f'{NAMES[c]} {_end(frame[c])}' for c in NAMES)}."


def _end(losses: pd.Series) -> str:
    if np.isfinite(losses.iloc[-1]):
        return f"{losses.iloc[-1]:.2g}"
    steps = losses.count()
    return f"diverged after {steps} step{'' if steps == 1 else 's'}"
