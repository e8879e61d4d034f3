"""Loss and accuracy over training."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.style import Style, message_figure

MOST_POINTS = 150
SETTLED_EPOCH = 0.2


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
    is not full yet is left out, unless there is no other. Each point stands at the end of its stretch.
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
    drawn = {run: frame.dropna(subset=[curve.column]) for run, frame in curves.items()}
    if all(frame.empty for frame in drawn.values()):
        return message_figure(curve.title, "Nothing trained yet")
    hover = "%{y:.2%}" if curve.is_fraction else "%{y:.4f}"
    figure = go.Figure(
        [
            go.Scatter(
                x=frame["epoch"].to_numpy(np.float32),
                y=frame[curve.column].to_numpy(np.float32),
                name=styles[run].name,
                uid=run,
                mode="lines+markers" if len(frame) < 40 else "lines",
                line=styles[run].line(),
                marker_size=5,
                hovertemplate=hover,
            )
            for run, frame in drawn.items()
        ]
    )
    figure.update_layout(
        title=curve.title,
        hovermode="x unified",
        legend={"orientation": "h", "y": -0.22, "yanchor": "top"},
        margin={"l": 56, "r": 12, "t": 40, "b": 8},
        xaxis={"title": "epoch", "hoverformat": ".2f", "rangemode": "tozero"},
        yaxis={"range": _settled_range(drawn, curve), **({"tickformat": ".0%"} if curve.is_fraction else {})},
    )
    return figure


def _settled_range(curves: Mapping[str, pd.DataFrame], curve: Curve) -> list[float] | None:
    """What the lines span once the first steep fall is over, so that their differences fill the chart.

    None, for plotly to choose, until a line has got that far. The rest is a double-click away.
    """
    settled = [frame.loc[frame["epoch"] >= SETTLED_EPOCH, curve.column] for frame in curves.values()]
    values = pd.concat(settled)
    if values.empty:
        return None
    low, high = float(values.min()), float(values.max())
    margin = max(0.05 * (high - low), 0.002)
    return [low - margin, min(high + margin, 1.001)] if curve.is_fraction else [max(low - margin, 0), high + margin]


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
