"""The lines of a chart of curves, and which of their points can be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bnlab.charts.points import COLUMNS, Columns, smoothed
from bnlab.charts.view import View

Floats = NDArray[np.float32]
Points = tuple[Floats, Floats]

KEPT = 512
"""How many lines, of several visitors, are kept drawn between ticks."""


@dataclass(frozen=True)
class Curve:
    """One of the charts: which column it draws, what it is called, whether it is a fraction, whether it is noisy."""

    column: str
    title: str
    is_fraction: bool
    is_noisy: bool


@dataclass(frozen=True, eq=False)
class Line:
    """A variant's points: the mean over its seeds (`bnlab.charts.points.seeds_columns`), and each seed's own.

    The same object is drawn from the same traces: whoever keeps it between ticks has nothing made anew.
    """

    mean: Columns
    seeds: Sequence[Columns]

    def __len__(self) -> int:
        """How many points the mean has."""
        return len(self.mean["step"])


@lru_cache(maxsize=KEPT)
def mean_points(line: Line, column: str, view: View) -> Points:
    """The points of a line's mean that the view's axes can show, smoothed where it asks for that."""
    return shown_points(line.mean, column, view)


def shown_points(columns: Columns, column: str, view: View) -> Points:
    """The points of one `column` that the view's axes can show, smoothed where it asks for that."""
    x, y = floats(columns[view.x]), shown_values(columns, column, view)
    shown = is_shown(x, y, view)
    return x[shown], y[shown]


@lru_cache(maxsize=KEPT)
def band_points(line: Line, column: str, view: View) -> tuple[Points, Points]:
    """The mean minus and plus the seeds' standard deviation; on a logarithmic axis, at most a decade down."""
    mean = line.mean
    x, y = floats(mean[view.x]), shown_values(mean, column, view)
    deviations = floats(mean[f"{column}_sd"])
    spread = np.where(np.isnan(deviations), np.float32(0), deviations)
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = y - spread, y + spread
    if view.log_y:
        low = np.maximum(low, y / 10)
    shown = is_shown(x, low, view) & np.isfinite(high)
    return (x[shown], low[shown]), (x[shown], high[shown])


def shown_values(columns: Columns, column: str, view: View) -> Floats:
    """All values of a `column`, smoothed where the view asks for that: validation is not."""
    values = floats(columns[column])
    return smoothed(values, view.smoothing) if column in COLUMNS else values


def floats(values: NDArray[np.generic]) -> Floats:
    """The values as they are drawn; too large a one is infinite, and so not shown."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def is_shown(x: Floats, y: Floats, view: View) -> NDArray[np.bool_]:
    """Which points the view's axes can show."""
    return np.isfinite(y) & ((x > 0) | (not view.log_x))
