"""The axes of a chart of curves."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlab.charts.lines import KEPT, Curve, Floats, Line, band_points, mean_points, shown_points
from bnlab.charts.view import View

SHORT = 2.0
"""Epochs: of lines that are no longer, all is shown."""
SETTLED_EPOCH = 0.2
LONG = 5.0
"""Epochs from which on what comes before SETTLED_EPOCH is out of the range."""
FARTHEST = 20.0
NEVER_FAR = 5.0
"""A loss about twice that of guessing among ten: no line that stays below it has flown off."""
MARGIN = 0.05
# Every label the whole number: plotly's own are 1, small 2 and 5 for 20 and 50, and 10³, all on one axis.
LOGARITHMIC = {"type": "log", "tickformat": ",~g", "nticks": 5}


def x_axis(view: View) -> dict[str, Any]:
    """The axis to the right."""
    axis: dict[str, Any] = {"title": {"text": {"epoch": "epoch", "step": "step", "seconds": "seconds"}[view.x]}}
    axis["hoverformat"] = {"epoch": ".2f", "step": ",.0f", "seconds": ".1f"}[view.x]
    return axis | (LOGARITHMIC if view.log_x else {"rangemode": "tozero"})


def y_axis(lines: Sequence[Line], curve: Curve, view: View, *, differs: bool) -> dict[str, Any]:
    """The axis upwards, `differs` where it shows differences to the baseline."""
    axis: dict[str, Any] = {"tickformat": ".3~%"} if curve.is_fraction else {}
    if differs:
        return axis | {"zeroline": True, "zerolinewidth": 2} | settled_range(lines, curve, view, differs=True)
    if view.log_y:
        return axis | LOGARITHMIC | {"nticks": 4}  # with 5, plotly labels each digit of a decade and a half
    return axis | settled_range(lines, curve, view)


def settled_range(lines: Sequence[Line], curve: Curve, view: View, *, differs: bool = False) -> dict[str, Any]:
    """What the lines and their bands span once the first steep fall is over, so that differences fill the chart.

    All of it where it is short or the first steps are what is looked at; nothing, for plotly to choose, where nothing
    is drawn: plotly.js fails on a range of null. A line that flies off (a diverging run's) does not press the others
    flat.
    """
    start = 0.0 if view.log_x else _start(lines)
    spans = [span for line in lines if (span := _span(line, curve, view, start)).size]
    if not spans:
        return {}
    nearest = min(float(np.abs(span).max()) for span in spans)
    values = np.concatenate(spans)
    values = values[np.abs(values) <= max(FARTHEST * nearest, NEVER_FAR)]
    low, high = float(values.min()), float(values.max())
    margin = max(MARGIN * ((high - low) or abs(high)), 0.002)
    if differs:
        return {"range": [low - margin, high + margin]}
    if curve.is_fraction:
        return {"range": [low - margin, min(high + margin, 1.001)]}
    return {"range": [max(low - margin, 0), high + margin]}


def out_of_sight(lines: Mapping[str, Line], curve: Curve, view: View, axis: Mapping[str, Any]) -> list[str]:
    """The lines that have ended outside the range of the `axis` upwards: those that fly off."""
    if "range" not in axis:
        return []
    low, high = axis["range"]
    ends = {
        label: float(y[-1]) for label, line in lines.items() if (y := mean_points(line, curve.column, view)[1]).size
    }
    return [label for label, end in ends.items() if not low <= end <= high]


def _start(lines: Sequence[Line]) -> float:
    """The epoch from which on the lines are in the range: it moves slowly, and so does the range, while they grow."""
    longest = max((_last_epoch(line) for line in lines), default=0.0)
    return SETTLED_EPOCH * min(max((longest - SHORT) / (LONG - SHORT), 0.0), 1.0)


@lru_cache(maxsize=KEPT)
def _span(line: Line, curve: Curve, view: View, start: float) -> NDArray[np.float64]:
    """The values of a line and of what is behind it from the epoch `start` on, without those that fly off from it.

    In double precision, or twenty times a large float32 overflows.
    """
    late = line.mean["epoch"] >= start
    if not late.any():
        return np.empty(0)
    begin = np.float32(line.mean[view.x][late.argmax()])
    own = _from(begin, *mean_points(line, curve.column, view))
    edges = band_points(line, curve.column, view) if len(line.seeds) > 1 else ()
    singles = [shown_points(seed, curve.column, view) for seed in line.seeds] if view.singles else ()
    values = np.concatenate([own, *(_from(begin, x, y) for x, y in (*edges, *singles))])
    far = max(FARTHEST * float(np.median(np.abs(own))), float(np.abs(own[0]))) if own.size else 0.0
    near: NDArray[np.float64] = values[np.abs(values) <= far]
    return near


def _from(begin: np.float32, x: Floats, y: Floats) -> NDArray[np.float64]:
    late: NDArray[np.float64] = y[x >= begin].astype(float)
    return late


@lru_cache(maxsize=KEPT)
def _last_epoch(line: Line) -> float:
    return float(line.mean["epoch"].max()) if len(line) else 0.0
