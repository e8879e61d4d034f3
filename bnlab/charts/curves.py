"""Loss and accuracy over training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.style import Style, message_figure, plain_figure

Floats = NDArray[np.float32]

MOST_POINTS = 150
SETTLED_EPOCH = 0.2
MARKED_POINTS = 40


@dataclass(frozen=True)
class Curve:
    """One of the charts: which column it draws, what it is called, and whether the column is a fraction."""

    column: str
    title: str
    is_fraction: bool


TRAINING_CURVES = (Curve("loss", "Training loss", False), Curve("accuracy", "Training accuracy", True))
VALIDATION_CURVES = (
    Curve("val_loss", "Validation loss", False),
    Curve("val_accuracy", "Validation accuracy", True),
)


def thinned_frame(steps: pd.DataFrame, steps_per_epoch: int, most: int = MOST_POINTS) -> pd.DataFrame:
    """Columns epoch, loss, accuracy: the means over equal stretches of steps, at most `most` of them.

    A stretch is a power of two, so that points drawn once keep their place while the run grows; a last stretch that
    is not full yet is left out. Each point stands at the end of its stretch.
    """
    stretch = 1
    while len(steps) > stretch * most:
        stretch *= 2
    full = len(steps) // stretch * stretch
    columns = {
        name: steps[name].to_numpy(np.float64)[:full].reshape(-1, stretch).mean(axis=1).astype(np.float32)
        for name in ("loss", "accuracy")
    }
    ends = steps["step"].to_numpy()[stretch - 1 : full : stretch]
    return pd.DataFrame({"epoch": ends / steps_per_epoch, **columns})


def curve_figure(curves: Mapping[str, pd.DataFrame], styles: Mapping[str, Style], curve: Curve) -> go.Figure:
    """One line a run over its epochs.

    `curves` maps a run's digest to a frame with the columns epoch and `curve.column`; `styles` maps it to its style.
    """
    points = {run: _finite_points(frame, curve.column) for run, frame in curves.items()}
    if all(x.size == 0 for x, _ in points.values()):
        return message_figure(curve.title, "Nothing trained yet")
    layout = {
        "title": {"text": curve.title},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": -0.22, "yanchor": "top"},
        "margin": {"l": 56, "r": 12, "t": 40, "b": 8},
        "xaxis": {"title": {"text": "epoch"}, "hoverformat": ".2f", "rangemode": "tozero"},
        "yaxis": {"tickformat": ".0%" if curve.is_fraction else "", **_settled_range(list(points.values()), curve)},
    }
    return plain_figure([_line(run, *xy, styles[run], curve) for run, xy in points.items()], layout)


def _finite_points(frame: pd.DataFrame, column: str) -> tuple[Floats, Floats]:
    x, y = frame["epoch"].to_numpy(np.float32), frame[column].to_numpy(np.float32)
    finite = np.isfinite(y)
    return x[finite], y[finite]


def _line(run: str, x: Floats, y: Floats, style: Style, curve: Curve) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": run,
        "name": style.name,
        "x": x,
        "y": y,
        "mode": "lines+markers" if len(x) < MARKED_POINTS else "lines",
        "line": style.line(),
        "marker": {"size": 5},
        "hovertemplate": "%{y:.2%}" if curve.is_fraction else "%{y:.4f}",
    }


def _settled_range(points: Sequence[tuple[Floats, Floats]], curve: Curve) -> dict[str, Any]:
    """What the lines span once the first steep fall is over, so that their differences fill the chart.

    Nothing, for plotly to choose, until a line has got that far; plotly.js fails on a range of null.
    """
    values = np.concatenate([y[x >= SETTLED_EPOCH] for x, y in points])
    if values.size == 0:
        return {}
    low, high = float(values.min()), float(values.max())
    margin = max(0.05 * (high - low), 0.002)
    if curve.is_fraction:
        return {"range": [low - margin, min(high + margin, 1.001)]}
    return {"range": [max(low - margin, 0), high + margin]}


def curve_alt(curves: Mapping[str, pd.DataFrame], styles: Mapping[str, Style], curve: Curve) -> str:
    """The chart's finding in a sentence: where each line has got to, the best first."""
    ends = {
        styles[run].name: float(frame[curve.column].iloc[-1])
        for run, frame in curves.items()
        if not frame.empty and np.isfinite(frame[curve.column].iloc[-1])
    }
    if not ends:
        return f"{curve.title}: nothing trained yet."
    ordered = sorted(ends.items(), key=lambda end: end[1], reverse=curve.is_fraction)
    words = [f"{name} {value:.1%}" if curve.is_fraction else f"{name} {value:.3f}" for name, value in ordered]
    return f"{curve.title} by epoch, the best first: {', '.join(words)}."
