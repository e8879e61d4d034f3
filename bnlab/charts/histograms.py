"""Histograms of one variable over a layer's units at one evaluation, all runs together."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.distributions import INITIAL_VALUES, VARIABLE_TITLES, unit_values, values_at
from bnlab.charts.figures import initial_range, message_figure, plain_figure
from bnlab.charts.formatting import format_digits
from bnlab.charts.snapshots import exploded_runs
from bnlab.charts.style import Style

BINS = 40


def histogram_values(
    snapshots: Mapping[str, pd.DataFrame], variable: str, steps: Mapping[str, int]
) -> dict[str, NDArray[np.float32]]:
    """Each run's values, `[units]`, at its latest evaluation up to its step."""
    return {run: values_at(frame, variable, steps[run]) for run, frame in snapshots.items()}


def histogram_range(snapshots: Sequence[pd.DataFrame], variable: str) -> tuple[float, float]:
    """The x axis: the range of the variable over the whole training and its initial value, without exploded runs."""
    values = {run: unit_values(frame, variable)[1].ravel() for run, frame in enumerate(snapshots)}
    exploded = exploded_runs(values)
    included = np.concatenate([array for run, array in values.items() if run not in exploded])
    finite = np.append(included[np.isfinite(included)], np.float32(INITIAL_VALUES[variable]))
    low, high = float(finite.min()), float(finite.max())
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def histogram_frame(
    values: Mapping[str, NDArray[np.float32]], x_range: tuple[float, float] = (-math.inf, math.inf)
) -> pd.DataFrame:
    """Columns run, left, right, share: the share of each run's units in each bin; all runs have the same bins.

    `values` maps a run to the values of its units; values that are not finite or outside `x_range` are in no bin.
    """
    finite = {run: array[np.isfinite(array)].astype(np.float64) for run, array in values.items()}
    pooled = np.concatenate([*finite.values(), np.empty(0)])
    pooled = pooled[(pooled >= x_range[0]) & (pooled <= x_range[1])]
    frames = []
    if pooled.size:
        edges = np.histogram_bin_edges(pooled, BINS)
        for run, array in values.items():
            if array.size:
                share = np.histogram(finite[run], edges)[0] / array.size
                frames.append(pd.DataFrame({"run": run, "left": edges[:-1], "right": edges[1:], "share": share}))
    empty = pd.DataFrame({"run": [], "left": [], "right": [], "share": []}).astype({"run": str})
    return pd.concat(frames or [empty], ignore_index=True)


def histogram_figure(
    frame: pd.DataFrame, variable: str, styles: Mapping[str, Style], x_range: tuple[float, float]
) -> go.Figure:
    """The outline of each run's histogram; a dotted line marks the initial value."""
    title = VARIABLE_TITLES[variable]
    if frame.empty:
        return message_figure(title, "Not finite at this evaluation")
    initial = INITIAL_VALUES[variable]
    layout = {
        "title": {"text": title},
        "showlegend": False,
        "margin": {"l": 48, "r": 14, "t": 40, "b": 8},
        "xaxis": {
            **initial_range(*x_range),
            "nticks": 4,
            "exponentformat": "power",
            "tickangle": 0,
            "title": {"text": "value"},
        },
        "yaxis": {"tickformat": ".0%", "rangemode": "tozero", "nticks": 5, "title": {"text": "units"}},
        "shapes": [
            {
                "type": "line",
                "x0": initial,
                "x1": initial,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"dash": "dot", "width": 1},
            }
        ],
    }
    bins_by_run = frame.groupby("run", sort=False)
    return plain_figure([_outline_trace(str(run), bins, styles[str(run)]) for run, bins in bins_by_run], layout)


def histogram_alt(
    values: Mapping[str, NDArray[np.float32]], variable: str, layer: str, styles: Mapping[str, Style]
) -> str:
    """Mean and standard deviation over the units of each run, in a sentence."""
    parts = []
    for run, array in values.items():
        if array.size and np.isfinite(array).all():
            exact = array.astype(np.float64)
            mean, deviation = format_digits(exact.mean()), format_digits(exact.std())
            parts.append(f"{styles[run].name} mean {mean}, standard deviation {deviation}")
    title = f"{VARIABLE_TITLES[variable]} over the units of {layer}"
    return f"{title}: {'; '.join(parts)}." if parts else f"{title}: nothing to show."


def _outline_trace(run: str, bins: pd.DataFrame, style: Style) -> dict[str, Any]:
    """The outline of a run's bins, down to zero at both ends: with an empty bin before them, so that x is even."""
    left, right, share = (bins[column].to_numpy(float) for column in ("left", "right", "share"))
    return {
        "type": "scatter",
        "uid": run,
        "name": style.trace_name,
        "x": np.concatenate([2 * left[:1] - right[:1], left, right[-1:]]).astype(np.float32),
        "y": np.concatenate([[0], share, [0]]).astype(np.float32),
        "mode": "lines",
        "line": style.line(2) | {"shape": "hv"},
        "fill": "tozeroy",
        "fillcolor": style.fill(0.3),
        "hovertemplate": "%{y:.1%} of the units near %{x:.3g}",
    }
