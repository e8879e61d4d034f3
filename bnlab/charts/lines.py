"""The lines of a chart of curves, and which of their points can be shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnlab.charts.points import COLUMNS, smoothed
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
    """A variant's points: the mean over its seeds (`bnlab.charts.points.seeds_frame`), and each seed's own.

    The same object is drawn from the same traces: whoever keeps it between ticks has nothing made anew.
    """

    mean: pd.DataFrame
    seeds: Sequence[pd.DataFrame]


def shown_points(frame: pd.DataFrame, column: str, view: View) -> Points:
    """The points of a frame's `column` that the view's axes can show, smoothed where it asks for that."""
    x, y = frame[view.x].to_numpy(np.float32), shown_values(frame, column, view)
    shown = is_shown(x, y, view)
    return x[shown], y[shown]


def shown_values(frame: pd.DataFrame, column: str, view: View) -> Floats:
    """All values of a `column`, smoothed where the view asks for that: validation is not."""
    values = frame[column].to_numpy(np.float32)
    return smoothed(values, view.smoothing) if column in COLUMNS else values


def is_shown(x: Floats, y: Floats, view: View) -> NDArray[np.bool_]:
    """Which points the view's axes can show."""
    return np.isfinite(y) & ((x > 0) | (not view.log_x))
