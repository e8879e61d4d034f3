"""Effects of a claim: the difference that a treatment made in each condition, in smallest effects that count.

Conditions have different units, so each difference is divided by the smallest effect that counts, and its sign is
changed so that right is the predicted direction: beyond 1 it is as claimed, beyond −1 the opposite. For a claim of no
difference, as claimed is the middle. The axis is linear around zero and logarithmic further out (asinh).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import format_signed
from bnlab.charts.style import BLUE, GREY, VERMILLION, translucent

Row = Mapping[Any, Any]
"""A condition's row of `bnlab.claims.results.conditions_frame`."""

AS_CLAIMED, OPPOSITE, UNDECIDED = BLUE, VERMILLION, GREY
MARKS = {
    "supported": (AS_CLAIMED, "diamond"),
    "contradicted": (OPPOSITE, "x"),
    "no_difference": (UNDECIDED, "circle"),
    "too_few_seeds": (UNDECIDED, "circle-open"),
}
FONT_SIZE = 13  # px, of conditions and effects; all heights are proportional to it
ROW_HEIGHT, HEADER_HEIGHT, FOOTER_HEIGHT = 60 / 13, 80 / 13, 44 / 13  # of FONT_SIZE; the header has room for a mode bar
MARK_OFFSET = 0.22  # of a row, from its middle down to its marks: its name is above them
ZONE_HALF_HEIGHT = 0.17  # of a row, around its marks
LABEL_RISE = 0.19  # of a row, from its marks up to the bottom of its name
MIN_REACH, MAX_REACH = 3.0, 1e6  # of the x axis, in smallest effects
TICKS = (1, 3, 10, 100, 1_000, 10_000, 100_000)


def effects_height(frame: pd.DataFrame, size: int = FONT_SIZE) -> int:
    """The height of `effects_figure` in px."""
    return round(size * (HEADER_HEIGHT + ROW_HEIGHT * max(1, len(frame)) + FOOTER_HEIGHT))


def effects_figure(frame: pd.DataFrame, size: int = FONT_SIZE) -> go.Figure:
    """The conditions from top to bottom: each seed as a dot, the mean with its interval.

    `frame` has the columns of `bnlab.claims.results.conditions_frame`. Values that are not finite are left out; an
    unbounded interval reaches the edge. `size` is the font size in px.
    """
    if frame.empty:
        return message_figure("", "Nothing has been measured yet")
    reach = _reach(frame)
    ticks = [sign * tick for tick in TICKS if tick < reach for sign in (-1, 1)] + [0]
    traces = [_grid_trace(ticks, len(frame))]
    shapes: list[dict[str, Any]] = []
    for index, row in enumerate(frame.to_dict("records")):
        traces += _row_traces(row, index, reach)
        shapes += _zone_shapes(int(row["direction"]), index, reach)
    edge = math.asinh(reach)
    xaxis = {
        "range": [-edge, edge],
        "tickvals": [math.asinh(tick) for tick in ticks],
        "ticktext": [f"{tick:,}".replace("-", "−") for tick in ticks],
        "title": {"text": "difference ÷ smallest effect that counts", "standoff": 8},
        "zeroline": False,
        "showgrid": False,  # its lines would cross the names
        "fixedrange": True,
    }
    yaxis = {"range": [len(frame) - 0.4, -0.6], "visible": False, "fixedrange": True}
    annotations = (*_header_annotations(frame), *_row_annotations(frame))
    layout = {
        "xaxis": xaxis,
        "yaxis": yaxis,
        "shapes": shapes,
        "annotations": [annotation | {"font": {"size": size}} for annotation in annotations],
        "showlegend": False,
        "margin": {"l": 8, "r": 8, "t": 44, "b": round(size * FOOTER_HEIGHT)},
        "height": effects_height(frame, size),
        "hovermode": "closest",
    }
    return plain_figure(traces, layout)


def effects_alt(frame: pd.DataFrame) -> str:
    """A sentence for each condition: its effect and verdict."""
    if frame.empty:
        return "Nothing has been measured yet."
    return " ".join(f"{row['condition']}: {effect_text(row)}, {row['words']}." for row in frame.to_dict("records"))


def effect_text(row: Row) -> str:
    """The difference with its interval and unit: `−0.42 (−0.61 to −0.23) %`."""
    interval = "unbounded"
    if math.isfinite(row["low"]):
        interval = f"{format_signed(row['low'])} to {format_signed(row['high'])}"
    suffix = "" if row["low"] == row["high"] else f" ({interval})"
    return f"{format_signed(row['mean'])}{suffix} {row['unit']}"


def _in_smallest_effects(row: Row, values: Sequence[float]) -> NDArray[np.float64]:
    """Differences divided by the smallest effect, positive in the predicted direction."""
    sign = -1 if row["direction"] < 0 else 1
    return np.asarray(values, np.float64) * float(sign / row["smallest_effect"])


def _reach(frame: pd.DataFrame) -> float:
    """The end of the x axis, in smallest effects."""
    effects = [
        _in_smallest_effects(row, [*row["differences"], row["low"], row["high"]]) for row in frame.to_dict("records")
    ]
    sizes = np.abs(np.concatenate(effects))
    largest = sizes[np.isfinite(sizes)].max(initial=MIN_REACH / 1.3)
    return float(min(1.3 * largest, MAX_REACH))


def _grid_trace(ticks: Sequence[int], rows: int) -> dict[str, Any]:
    """A vertical line at each tick in each row, as high as the row's zones."""
    zones = [(row + MARK_OFFSET - ZONE_HALF_HEIGHT, row + MARK_OFFSET + ZONE_HALF_HEIGHT) for row in range(rows)]
    lines = [(math.asinh(tick), low, high) for low, high in zones for tick in ticks]
    return {
        "type": "scatter",
        "uid": "grid",
        "x": [value for x, _, _ in lines for value in (x, x, None)],
        "y": [value for _, low, high in lines for value in (low, high, None)],
        "mode": "lines",
        "line": {"color": translucent(GREY, 0.35), "width": 1},
        "hoverinfo": "skip",
    }


def _row_traces(row: Row, index: int, reach: float) -> list[dict[str, Any]]:
    """A condition's seeds, interval and mean."""
    color, symbol = MARKS[row["verdict"]]
    mean, *interval = _in_smallest_effects(row, [row["mean"], row["low"], row["high"]]).tolist()
    effect = f"{row['treatment_name']} minus {row['control_name']}: {effect_text(row)}"
    seeds = zip(row["seeds"], row["differences"], strict=True)
    seed_texts = [f"seed {seed}: {format_signed(value)} {row['unit']}" for seed, value in seeds]
    seed_marker = {"color": color, "size": 8, "opacity": 0.45}
    mean_marker = {"color": color, "size": 13, "symbol": symbol, "line": {"color": color, "width": 2}}
    return [
        _points_trace(f"s{index}", _in_smallest_effects(row, row["differences"]), index, seed_texts)
        | {"mode": "markers", "marker": seed_marker},
        _points_trace(f"i{index}", np.clip(interval, -reach, reach), index, [effect, effect])
        | {"mode": "lines", "line": {"color": color, "width": 4}},
        _points_trace(f"m{index}", [mean], index, [effect]) | {"mode": "markers", "marker": mean_marker},
    ]


def _points_trace(uid: str, effects: ArrayLike, index: int, texts: list[str]) -> dict[str, Any]:
    x = np.arcsinh(effects)
    hover = {"text": texts, "hovertemplate": "%{text}<extra></extra>"}
    return {"type": "scatter", "uid": uid, "x": x, "y": [index + MARK_OFFSET] * x.size, **hover}


def _zone_shapes(direction: int, index: int, reach: float) -> list[dict[str, Any]]:
    """A row's background: the ranges in which a difference is as claimed, the opposite, or too small."""
    one, edge = math.asinh(1), math.asinh(reach)
    inner, outer = (AS_CLAIMED, OPPOSITE) if direction == 0 else (None, None)
    left, right = (outer, outer) if direction == 0 else (OPPOSITE, AS_CLAIMED)
    zones = ((-edge, -one, left), (-one, one, inner), (one, edge, right))
    shape = {
        "type": "rect",
        "y0": index + MARK_OFFSET - ZONE_HALF_HEIGHT,
        "y1": index + MARK_OFFSET + ZONE_HALF_HEIGHT,
        "line": {"width": 0},
        "layer": "below",
        "opacity": 0.13,
    }
    grey = {"fillcolor": UNDECIDED, "opacity": 0.07}
    return [shape | {"x0": x0, "x1": x1} | ({"fillcolor": color} if color else grey) for x0, x1, color in zones]


def _header_annotations(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The meanings of left, middle and right, above the rows; of the color alone where they differ by row."""
    predicts_none = frame["direction"] == 0
    if predicts_none.all():
        left, middle, right = "different", "no difference that counts: as claimed", "different"
    elif predicts_none.any():
        left, middle, right = "", "in the blue: as claimed", ""
    else:
        left, middle, right = "← the opposite", "too small to count", "as claimed →"
    common = {"xref": "paper", "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False}
    texts = ((left, 0, "left"), (middle, 0.5, "center"), (right, 1, "right"))
    return [common | {"text": text, "x": x, "xanchor": anchor} for text, x, anchor in texts if text]


def _row_annotations(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Each condition's name and effect, above its marks."""
    common = {"xref": "paper", "x": 0, "xanchor": "left", "yanchor": "bottom", "showarrow": False, "align": "left"}
    return [
        common | {"y": index + MARK_OFFSET - LABEL_RISE, "text": f"{row['condition']}<br><b>{effect_text(row)}</b>"}
        for index, row in enumerate(frame.to_dict("records"))
    ]
