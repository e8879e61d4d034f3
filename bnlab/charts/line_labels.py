"""Names of lines at their ends, for a projector: a legend's colors cannot be matched from the last row."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bnlab.charts.curve_settings import CurveSettings
from bnlab.charts.series import Floats, SeriesPoints
from bnlab.charts.style import Style

GAP = 30
"""The smallest distance between two names, in px."""
PLOT_HEIGHT = 180
"""The least height of the plot in px: in a higher one, names are further apart than GAP and never closer."""
CHARACTER_WIDTH, LARGEST_MARGIN = 11, 330
"""About the width of a character, and the widest right margin, in px."""


def line_labels(
    lines: Mapping[str, SeriesPoints],
    styles: Mapping[str, Style],
    settings: CurveSettings,
    limits: tuple[float, float] | None,
) -> list[dict[str, Any]]:
    """Plotly annotations with the name of each line at its end, apart from each other.

    `limits` is the range of the y axis; without one it goes from the smallest to the largest value of the lines.
    """
    ends = {
        label: (_position(points.mean[0][-1], log=settings.log_x), _position(points.mean[1][-1], log=settings.log_y))
        for label, points in lines.items()
        if len(points.mean[0])
    }
    ends = {label: end for label, end in ends.items() if np.isfinite(end).all()}
    if not ends:
        return []
    low, high = limits or _range([points.mean[1] for points in lines.values()], log=settings.log_y)
    clipped = {label: (x, min(max(y, low), high)) for label, (x, y) in ends.items()}
    pixels = [(y - low) / ((high - low) or 1.0) * PLOT_HEIGHT for _, y in clipped.values()]
    shifts = [moved - pixel for moved, pixel in zip(spread(pixels, GAP), pixels, strict=True)]
    return [
        {
            "name": styles[label].uid,
            "text": styles[label].trace_name,
            "x": x,
            "y": y,
            "xanchor": "left",
            "yanchor": "middle",
            "xshift": 10,
            "yshift": round(shift, 1),
            "showarrow": False,
            "font": {"color": styles[label].color},
        }
        for (label, (x, y)), shift in zip(clipped.items(), shifts, strict=True)
    ]


def label_margin(labels: Sequence[str]) -> int:
    """The right margin in px that the longest of these names needs."""
    return min(20 + CHARACTER_WIDTH * max(map(len, labels), default=0), LARGEST_MARGIN)


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """The positions moved as little as needed to be at least `gap` apart, in the same order.

    Those that are too close become a group with even distances around their mean.
    """
    order = sorted(range(len(positions)), key=positions.__getitem__)
    groups: list[list[int]] = []
    for index in order:
        groups.append([index])
        while len(groups) > 1 and _lowest(groups[-1], positions, gap) < _highest(groups[-2], positions, gap) + gap:
            last = groups.pop()
            groups[-1] += last
    moved = list(positions)
    for group in groups:
        lowest = _lowest(group, positions, gap)
        for place, index in enumerate(group):
            moved[index] = lowest + place * gap
    return moved


def _lowest(group: Sequence[int], positions: Sequence[float], gap: float) -> float:
    return math.fsum(positions[index] for index in group) / len(group) - gap * (len(group) - 1) / 2


def _highest(group: Sequence[int], positions: Sequence[float], gap: float) -> float:
    return _lowest(group, positions, gap) + gap * (len(group) - 1)


def _range(values: Sequence[Floats], *, log: bool) -> tuple[float, float]:
    positions = [_position(value, log=log) for array in values for value in array.tolist()]
    finite = [position for position in positions if math.isfinite(position)]
    return min(finite), max(finite)


def _position(value: float, *, log: bool) -> float:
    """A value as the coordinate of an annotation, which is a power of ten on a logarithmic axis."""
    if not log:
        return float(value)
    return math.log10(value) if value > 0 else math.nan
