"""Effects: how far a treatment moved a measure, condition by condition, against the smallest effect that counts.

Conditions have units of their own, so what is drawn is the difference divided by the smallest effect that counts, and
turned so that right is always where the claim points: beyond 1 it is as claimed, beyond −1 the opposite. A claim that
something makes no difference points to the middle. The axis is even around zero and logarithmic further out (asinh).
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

AS_CLAIMED, OPPOSITE, UNDECIDED = "#0072B2", "#D55E00", "#7F7F7F"  # Okabe and Ito's blue and vermillion
Row = Mapping[Any, Any]

MARKS = {
    "supported": (AS_CLAIMED, "diamond"),
    "contradicted": (OPPOSITE, "x"),
    "no_difference": (UNDECIDED, "circle"),
    "too_few_seeds": (UNDECIDED, "circle-open"),
}
FONT_SIZE = 13  # pixels: what conditions and amounts are written in; all heights follow it
ROW, HEAD, FOOT = 60 / 13, 80 / 13, 44 / 13  # of TYPE; above the words at the top is room for the mode bar
MIDDLE = 0.22  # of a row, whose name stands above its middle
ZONE = 0.17  # of a row, up and down from there
MIN_REACH = 3.0
MAX_REACH = 1e6
TICKS = (1, 3, 10, 100, 1_000, 10_000, 100_000)


def effects_height(frame: pd.DataFrame, size: int = FONT_SIZE) -> int:
    """Pixels for `effects_figure`."""
    return round(size * (HEAD + ROW * max(1, len(frame)) + FOOT))


def effects_figure(frame: pd.DataFrame, size: int = FONT_SIZE) -> go.Figure:
    """The conditions from top to bottom: each seed as a dot, the mean with its interval.

    `frame` has the columns of `bnlab.claims.results.conditions_frame`. What is not a number is left out; an interval
    that is unbounded reaches the edge. `size` is that of the type, in pixels.
    """
    if frame.empty:
        return message_figure("", "Nothing has been measured yet")
    reach = _reach(frame)
    ticks = [sign * tick for tick in TICKS if tick < reach for sign in (-1, 1)] + [0]
    traces = [_grid(ticks, len(frame))]
    shapes: list[dict[str, Any]] = []
    for place, row in enumerate(frame.to_dict("records")):
        traces += _row_traces(row, place, reach)
        shapes += _zones(int(row["direction"]), place, reach)
    edge = math.asinh(reach)
    axis = {
        "range": [-edge, edge],
        "tickvals": [math.asinh(tick) for tick in ticks],
        "ticktext": [f"{tick:,}".replace("-", "−") for tick in ticks],
        "title": {"text": "difference ÷ smallest effect that counts", "standoff": 8},
        "zeroline": False,
        "showgrid": False,  # its lines would cross the names
        "fixedrange": True,
    }
    rows = {"range": [len(frame) - 0.4, -0.6], "visible": False, "fixedrange": True}
    layout = {
        "xaxis": axis,
        "yaxis": rows,
        "shapes": shapes,
        "annotations": [annotation | {"font": {"size": size}} for annotation in (*_heads(frame), *_names(frame))],
        "showlegend": False,
        "margin": {"l": 8, "r": 8, "t": 44, "b": round(size * FOOT)},
        "height": effects_height(frame, size),
        "hovermode": "closest",
    }
    return plain_figure(traces, layout)


def effects_alt(frame: pd.DataFrame) -> str:
    """What the chart shows, in a sentence for each condition."""
    if frame.empty:
        return "Nothing has been measured yet."
    return " ".join(f"{row['condition']}: {effect_text(row)}, {row['words']}." for row in frame.to_dict("records"))


def effect_text(row: Row) -> str:
    """The difference with its interval and unit, as `−0.42 (−0.61 to −0.23) %`."""
    ends = "unbounded" if not math.isfinite(row["low"]) else f"{format_signed(row['low'])} to {format_signed(row['high'])}"
    between = "" if row["low"] == row["high"] else f" ({ends})"
    return f"{format_signed(row['mean'])}{between} {row['unit']}"


def _turned(row: Row, values: Sequence[float]) -> NDArray[np.float64]:
    """In smallest effects, right where the claim points."""
    sign = -1 if row["direction"] < 0 else 1
    return np.asarray(values, np.float64) * float(sign / row["smallest_effect"])


def _reach(frame: pd.DataFrame) -> float:
    ends = [_turned(row, [*row["differences"], row["low"], row["high"]]) for row in frame.to_dict("records")]
    values = np.abs(np.concatenate(ends))
    largest = values[np.isfinite(values)].max(initial=MIN_REACH / 1.3)
    return float(min(1.3 * largest, MAX_REACH))


def _grid(ticks: Sequence[int], rows: int) -> dict[str, Any]:
    """A line at each tick, as high as the rows' zones."""
    x = [math.asinh(tick) for tick in ticks]
    ends = [(place + MIDDLE - ZONE, place + MIDDLE + ZONE) for place in range(rows)]
    across = [(at, low, high) for low, high in ends for at in x]
    return {
        "type": "scatter",
        "uid": "grid",
        "x": [value for at, _, _ in across for value in (at, at, None)],
        "y": [value for _, low, high in across for value in (low, high, None)],
        "mode": "lines",
        "line": {"color": "rgba(127,127,127,.35)", "width": 1},
        "hoverinfo": "skip",
    }


def _row_traces(row: Row, place: int, reach: float) -> list[dict[str, Any]]:
    colour, symbol = MARKS[row["verdict"]]
    mean, *ends = _turned(row, [row["mean"], row["low"], row["high"]]).tolist()
    said = f"{row['treatment_name']} minus {row['control_name']}: {effect_text(row)}"
    seeds = zip(row["seeds"], row["differences"], strict=True)
    words = [f"seed {seed}: {format_signed(value)} {row['unit']}" for seed, value in seeds]
    dot = {"color": colour, "size": 8, "opacity": 0.45}
    mark = {"color": colour, "size": 13, "symbol": symbol, "line": {"color": colour, "width": 2}}
    return [
        _points(f"s{place}", _turned(row, row["differences"]), place, words) | {"mode": "markers", "marker": dot},
        _points(f"i{place}", np.clip(ends, -reach, reach), place, [said, said])
        | {"mode": "lines", "line": {"color": colour, "width": 4}},
        _points(f"m{place}", [mean], place, [said]) | {"mode": "markers", "marker": mark},
    ]


def _points(uid: str, effects: ArrayLike, place: int, words: list[str]) -> dict[str, Any]:
    x = np.arcsinh(effects)
    said = {"text": words, "hovertemplate": "%{text}<extra></extra>"}
    return {"type": "scatter", "uid": uid, "x": x, "y": [place + MIDDLE] * x.size, **said}


def _zones(direction: int, place: int, reach: float) -> list[dict[str, Any]]:
    """Where in this row a difference is as claimed, where it is the opposite."""
    one, edge = math.asinh(1), math.asinh(reach)
    inner, outer = (AS_CLAIMED, OPPOSITE) if direction == 0 else (None, None)
    left, right = (outer, outer) if direction == 0 else (OPPOSITE, AS_CLAIMED)
    zones = ((-edge, -one, left), (-one, one, inner), (one, edge, right))
    row = {
        "type": "rect",
        "y0": place + MIDDLE - ZONE,
        "y1": place + MIDDLE + ZONE,
        "line": {"width": 0},
        "layer": "below",
        "opacity": 0.13,
    }
    grey = {"fillcolor": UNDECIDED, "opacity": 0.07}
    return [row | {"x0": x0, "x1": x1} | ({"fillcolor": colour} if colour else grey) for x0, x1, colour in zones]


def _heads(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """What left, middle and right mean, above the rows; where rows differ in that, their colours say it."""
    to_the_middle = frame["direction"] == 0
    if to_the_middle.all():
        left, middle, right = "different", "no difference that counts: as claimed", "different"
    elif to_the_middle.any():
        left, middle, right = "", "in the blue: as claimed", ""
    else:
        left, middle, right = "← the opposite", "too small to count", "as claimed →"
    place = {"xref": "paper", "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False}
    words = ((left, 0, "left"), (middle, 0.5, "center"), (right, 1, "right"))
    return [place | {"text": text, "x": x, "xanchor": anchor} for text, x, anchor in words if text]


def _names(frame: pd.DataFrame) -> list[dict[str, Any]]:
    place = {"xref": "paper", "x": 0, "xanchor": "left", "yanchor": "bottom", "showarrow": False, "align": "left"}
    return [
        place | {"y": number + MIDDLE - 0.19, "text": f"{row['condition']}<br><b>{effect_text(row)}</b>"}
        for number, row in enumerate(frame.to_dict("records"))
    ]
