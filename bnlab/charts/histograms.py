"""How one variable is spread over a layer's units at one moment."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.distributions import INITIAL_VALUES, VARIABLE_TITLES, unit_values, values_at
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import format_digits
from bnlab.charts.snapshots import exploded_runs
from bnlab.charts.style import Style

BINS = 40


def histogram_frame(
    values: Mapping[str, NDArray[np.float32]], span: tuple[float, float] = (-math.inf, math.inf)
) -> pd.DataFrame:
    """Columns run, left, right, share: the share of each run's units in each bin; the bins are the same for all.

    `values` maps a run to the values of its units; what is no number or outside of `span` falls in no bin.
    """
    finite = {run: own[np.isfinite(own)].astype(np.float64) for run, own in values.items()}
    together = np.concatenate([*finite.values(), np.empty(0)])
    together = together[(together >= span[0]) & (together <= span[1])]
    frames = [pd.DataFrame({"run": [], "left": [], "right": [], "share": []}).astype({"run": str})]
    if together.size:
        edges = np.histogram_bin_edges(together, BINS)
        frames += [
            pd.DataFrame(
                {"run": run, "left": edges[:-1], "right": edges[1:], "share": _shares(finite[run], own, edges)}
            )
            for run, own in values.items()
            if own.size
        ]
    return pd.concat(frames[1:] or frames, ignore_index=True)


def _shares(finite: NDArray[np.float64], own: NDArray[np.float32], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    counts: NDArray[np.int64] = np.histogram(finite, edges)[0]
    return counts / own.size


def histogram_range(snapshots: Sequence[pd.DataFrame], variable: str) -> tuple[float, float]:
    """Where the variable has been over the whole training, with its initial value: the axis while moments pass.

    Of several runs, those that have exploded do not count.
    """
    of_run = {place: unit_values(frame, variable)[1].ravel() for place, frame in enumerate(snapshots)}
    exploded = exploded_runs(of_run)
    values = np.concatenate([own for place, own in of_run.items() if place not in exploded])
    inside = np.append(values[np.isfinite(values)], np.float32(INITIAL_VALUES[variable]))
    low, high = float(inside.min()), float(inside.max())
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def histogram_values(
    snapshots: Mapping[str, pd.DataFrame], variable: str, steps: Mapping[str, int]
) -> dict[str, NDArray[np.float32]]:
    """Each run's values at its latest moment up to its step."""
    return {run: values_at(frame, variable, steps[run]) for run, frame in snapshots.items()}


def histogram_figure(
    frame: pd.DataFrame, variable: str, styles: Mapping[str, Style], span: tuple[float, float]
) -> go.Figure:
    """Each run's shares as steps, over the axis `span`; a thin line marks the initial value."""
    title = VARIABLE_TITLES[variable]
    if frame.empty:
        return message_figure(title, "No numbers at this moment")
    start = INITIAL_VALUES[variable]
    layout = {
        "title": {"text": title},
        "showlegend": False,
        "margin": {"l": 48, "r": 14, "t": 40, "b": 8},
        "xaxis": {"range": [*span], "nticks": 4, "exponentformat": "power", "tickangle": 0, "title": {"text": "value"}},
        "yaxis": {"tickformat": ".0%", "rangemode": "tozero", "nticks": 5, "title": {"text": "units"}},
        "shapes": [
            {
                "type": "line",
                "x0": start,
                "x1": start,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"dash": "dot", "width": 1},
            }
        ],
    }
    return plain_figure(
        [_steps(str(run), own, styles[str(run)]) for run, own in frame.groupby("run", sort=False)], layout
    )


def _steps(run: str, own: pd.DataFrame, style: Style) -> dict[str, Any]:
    """The outline of the bins, down to zero at both ends."""
    left, right, share = (own[column].to_numpy(np.float32) for column in ("left", "right", "share"))
    return {
        "type": "scatter",
        "uid": run,
        "name": style.name,
        "x": np.concatenate([left[:1], left, right[-1:], right[-1:]]),
        "y": np.concatenate([[0], share, share[-1:], [0]]).astype(np.float32),
        "mode": "lines",
        "line": style.line(2) | {"shape": "hv"},
        "fill": "tozeroy",
        "fillcolor": style.fill(0.3),
        "hovertemplate": "%{y:.1%} of the units near %{x:.3g}",
    }


def histogram_alt(
    values: Mapping[str, NDArray[np.float32]], variable: str, layer: str, styles: Mapping[str, Style]
) -> str:
    """Mean and standard deviation over the units of each run, in a sentence."""
    words = [
        f"{styles[run].name} mean {format_digits(own.mean())}, standard deviation {format_digits(own.std())}"
        for run, own in ((run, own.astype(np.float64)) for run, own in values.items())
        if own.size and np.isfinite(own).all()
    ]
    title = f"{VARIABLE_TITLES[variable]} over the units of {layer}"
    return f"{title}: {'; '.join(words)}." if words else f"{title}: nothing to show."
