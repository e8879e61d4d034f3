"""Percentiles over training: a median with the bands in which 70 % and 90 % of the values lie."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.explosions import exploded_runs
from bnlab.charts.numbers import short
from bnlab.charts.spread import spread
from bnlab.charts.style import Style, message_figure, plain_figure
from bnlab.training.records import PERCENTILES

MOST_POINTS = 150
FLAT = 0.11
"""What is shown above and below values that are all the same."""
MARGIN = 0.06


def percentile_rows(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The percentiles of each row of `values`, `[rows, 5]`: NaN where a run has overflowed."""
    rows = np.full((len(values), len(PERCENTILES)), math.nan)
    finite = np.isfinite(values).all(axis=1)
    if finite.any():
        rows[finite] = np.percentile(values[finite].astype(np.float64), PERCENTILES, axis=1).T
    return rows


def bands_figure(title: str, frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> go.Figure:
    """Each run's bands and median over its epochs.

    `frames` maps a run to a frame with the columns epoch and p5 … p95; `styles` maps it to its style.
    """
    shown = {run: frame for run, frame in frames.items() if not frame.empty}
    if not shown:
        return message_figure(title, "Nothing measured yet")
    layout = {
        "title": {"text": title},
        "showlegend": False,
        "hovermode": "x unified",
        "margin": {"l": 48, "r": 8, "t": 40, "b": 8},
        "xaxis": {"title": {"text": "epoch"}, "rangemode": "tozero", "hoverformat": ".2f"},
        "yaxis": {"nticks": 6, "exponentformat": "power", **_range(shown)},
    }
    opacities = (0.18, 0.32) if len(shown) == 1 else (0.12, 0.22)
    thinned = {run: frame.iloc[spread(len(frame), MOST_POINTS)] for run, frame in shown.items()}
    bands = [trace for run, frame in thinned.items() for trace in _bands(run, frame, styles[run], opacities)]
    return plain_figure([*bands, *(_median(run, frame, styles[run]) for run, frame in thinned.items())], layout)


def extremes(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Between what the bands of a run lie."""
    return frame[["p5", "p95"]].to_numpy(float).ravel()


def _range(frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The y axis where Plotly's own choice is none.

    Around values that are all the same it would put a number on the corner, and with a run that has exploded all
    others would be flat.
    """
    values = {run: extremes(frame) for run, frame in frames.items()}
    exploded = exploded_runs(values)
    within = np.concatenate([own for run, own in values.items() if run not in exploded])
    finite = within[np.isfinite(within)]
    if not finite.size or (np.ptp(finite) and not exploded):
        return {}
    margin = MARGIN * np.ptp(finite) or FLAT
    return {"range": [finite.min() - margin, finite.max() + margin]}


def _bands(run: str, frame: pd.DataFrame, style: Style, opacities: tuple[float, float]) -> list[dict[str, Any]]:
    traces = []
    for low, high, opacity in (("p5", "p95", opacities[0]), ("p15", "p85", opacities[1])):
        invisible = {"line": {"width": 0, "color": style.colour}, "hoverinfo": "skip"}
        filled = {"fill": "tonexty", "fillcolor": style.fill(opacity)}
        traces.append(_percentile(run, frame, low) | invisible)
        traces.append(_percentile(run, frame, high) | invisible | filled)
    return traces


def _median(run: str, frame: pd.DataFrame, style: Style) -> dict[str, Any]:
    outer = frame[["p5", "p95"]].to_numpy(np.float32)
    return _percentile(run, frame, "p50") | {
        "name": style.name,
        "line": style.line(),
        "customdata": outer,
        "hovertemplate": "%{y:.4g} (90 %: %{customdata[0]:.3g} to %{customdata[1]:.3g})",
    }


def _percentile(run: str, frame: pd.DataFrame, column: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": f"{run}-{column}",
        "x": frame["epoch"].to_numpy(np.float32),
        "y": frame[column].to_numpy(np.float32),
        "mode": "lines",
    }


def bands_alt(title: str, frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    """Where each run's median and its 90 % have got to, in a sentence."""
    ends = [
        f"{styles[run].name} {short(median)}, 90 % between {short(low)} and {short(high)}"
        for run, frame in frames.items()
        for low, median, high in frame[["p5", "p50", "p95"]].tail(1).to_numpy(float)
        if math.isfinite(median)
    ]
    return f"{title}, the median at the end: {'; '.join(ends)}." if ends else f"{title}: nothing to show."
