"""The axes of a chart of curves."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlab.charts.lines import KEPT, Curve, Line, mean_points
from bnlab.charts.view import View

SETTLED_EPOCH = 0.2
FARTHEST = 20.0
# Every label the whole number: plotly's own are 1, small 2 and 5 for 20 and 50, and 10³, all on one axis.
LOGARITHMIC = {"type": "log", "tickformat": ",~g", "nticks": 5}


def x_axis(view: View) -> dict[str, Any]:
    """The axis to the right."""
    axis: dict[str, Any] = {"title": {"text": {"epoch": "epoch", "step": "step", "seconds": "seconds"}[view.x]}}
    axis["hoverformat"] = {"epoch": ".2f", "step": ",.0f", "seconds": ".1f"}[view.x]
    return axis | (LOGARITHMIC if view.log_x else {"rangemode": "tozero"})


def y_axis(lines: Sequence[Line], curve: Curve, view: View, *, differs: bool) -> dict[str, Any]:
    """The axis upwards, `differs` where it shows differences to the baseline."""
    axis: dict[str, Any] = {"tickformat": ".0%"} if curve.is_fraction else {}
    if differs:
        return axis | {"zeroline": True, "zerolinewidth": 2} | settled_range(lines, curve, view, differs=True)
    if view.log_y:
        return axis | LOGARITHMIC
    return axis | settled_range(lines, curve, view)


def settled_range(lines: Sequence[Line], curve: Curve, view: View, *, differs: bool = False) -> dict[str, Any]:
    """What the lines span once the first steep fall is over, so that their differences fill the chart.

    Nothing, for plotly to choose, before the first epoch is over; plotly.js fails on a range of null. A line that
    flies off (a diverging run's) does not press the others flat.
    """
    if max((_last_epoch(line) for line in lines), default=0.0) < 1:
        return {}
    values = np.concatenate([_settled(line, curve, view) for line in lines])
    if values.size == 0:
        return {}
    if not curve.is_fraction and not differs:
        values = values[values <= FARTHEST * np.median(values)]
    low, high = float(values.min()), float(values.max())
    margin = max(0.05 * (high - low), 0.002)
    if differs:
        return {"range": [low - margin, high + margin]}
    if curve.is_fraction:
        return {"range": [low - margin, min(high + margin, 1.001)]}
    return {"range": [max(low - margin, 0), high + margin]}


@lru_cache(maxsize=KEPT)
def _settled(line: Line, curve: Curve, view: View) -> NDArray[np.float64]:
    """The line's values after SETTLED_EPOCH; in double precision, or twenty times a large float32 overflows."""
    late = line.mean["epoch"] >= SETTLED_EPOCH
    if not late.any():
        return np.empty(0)
    x, y = mean_points(line, curve.column, view)
    return y[x >= np.float32(line.mean[view.x][late.argmax()])].astype(float)


@lru_cache(maxsize=KEPT)
def _last_epoch(line: Line) -> float:
    return float(line.mean["epoch"].max()) if len(line) else 0.0
