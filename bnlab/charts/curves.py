"""Loss and accuracy over training: one line a variant, with what it was made of behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.points import COLUMNS, minus_baseline, smoothed
from bnlab.charts.style import Style, message_figure, plain_figure
from bnlab.charts.view import View

Floats = NDArray[np.float32]
Points = tuple[Floats, Floats]

SETTLED_EPOCH = 0.2
MARKED_POINTS = 40
FARTHEST = 20.0
FAINT = 0.08


@dataclass(frozen=True)
class Curve:
    """One of the charts: which column it draws, what it is called, whether it is a fraction, whether it is noisy."""

    column: str
    title: str
    is_fraction: bool
    is_noisy: bool


TRAINING_CURVES = (
    Curve("loss", "Training loss", False, True),
    Curve("accuracy", "Training accuracy", True, True),
)
VALIDATION_CURVES = (
    Curve("val_loss", "Validation loss", False, False),
    Curve("val_accuracy", "Validation accuracy", True, False),
)


@dataclass(frozen=True)
class Line:
    """A variant's points: the mean over its seeds (`bnlab.charts.points.seeds_frame`), and each seed's own."""

    mean: pd.DataFrame
    seeds: Sequence[pd.DataFrame]


def differing_lines(lines: Mapping[str, Line], curve: Curve, view: View) -> dict[str, Line]:
    """The lines minus the baseline's, if that is what the view asks for and the baseline is among them."""
    if not _differs(lines, view):
        return dict(lines)
    along = "seconds" if view.x == "seconds" else "epoch"
    base = lines[view.baseline].mean

    def less(frame: pd.DataFrame) -> pd.DataFrame:
        columns = [c for c in (curve.column, f"{curve.column}_low", f"{curve.column}_high") if c in frame]
        shifted = base.assign(**dict.fromkeys(columns, base[curve.column]))
        return minus_baseline(frame, shifted, columns, along)

    return {label: Line(less(line.mean), [less(seed) for seed in line.seeds]) for label, line in lines.items()}


def curve_figure(lines: Mapping[str, Line], styles: Mapping[str, Style], curve: Curve, view: View) -> go.Figure:
    """One line a variant, its spread or its raw values behind it; `lines` and `styles` by the variants' labels."""
    drawn, differs = differing_lines(lines, curve, view), _differs(lines, view)
    view = view.model_copy(update={"log_y": view.log_y and not (curve.is_fraction or differs)})
    points = {label: _points(line.mean, curve.column, view) for label, line in drawn.items()}
    if all(x.size == 0 for x, _ in points.values()):
        return message_figure(curve.title, _why_empty(lines, curve, differs))
    traces = [trace for label, line in drawn.items() for trace in _backs(line, styles[label], curve, view)]
    traces += [_front(*xy, styles[label], curve, view) for label, xy in points.items()]
    layout = {
        "title": {"text": f"{curve.title} minus {view.baseline}’s" if differs else curve.title},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": -0.2, "yanchor": "top", "traceorder": "normal"},
        "margin": {"l": 56, "r": 12, "t": 40, "b": 8},
        "uirevision": f"{curve.title}-{view.x}-{view.log_x}-{view.log_y}-{differs}-{view.baseline if differs else ''}",
        "xaxis": _x_axis(view),
        "yaxis": _y_axis(list(points.values()), drawn, curve, view, differs),
    }
    return plain_figure(traces, layout)


def _differs(lines: Mapping[str, Line], view: View) -> bool:
    return view.differences and view.baseline in lines


def _why_empty(lines: Mapping[str, Line], curve: Curve, differs: bool) -> str:
    means = [line.mean for line in lines.values() if len(line.mean)]
    if not means:
        return "Nothing trained yet"
    if not any(np.isfinite(mean[curve.column]).any() for mean in means):
        return "The loss was never a number"
    return "Nothing to compare yet" if differs else "Nothing on this axis yet"


def _points(frame: pd.DataFrame, column: str, view: View) -> Points:
    x, y = frame[view.x].to_numpy(np.float32), _values(frame, column, view)
    shown = _is_shown(x, y, view)
    return x[shown], y[shown]


def _values(frame: pd.DataFrame, column: str, view: View) -> Floats:
    values = frame[column].to_numpy(np.float32)
    return smoothed(values, view.smoothing) if column in COLUMNS else values


def _is_shown(x: Floats, y: Floats, view: View) -> NDArray[np.bool_]:
    return np.isfinite(y) & ((x > 0) | (not view.log_x))


def _front(x: Floats, y: Floats, style: Style, curve: Curve, view: View) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": style.uid,
        "legendgroup": style.uid,
        "name": style.name,
        "x": x,
        "y": y,
        "mode": "lines+markers" if len(x) < MARKED_POINTS else "lines",
        "line": style.line(4.5 if view.projector else 2.5),
        "marker": {"size": 8 if view.projector else 5},
        "hovertemplate": "%{y:.2%}" if curve.is_fraction else "%{y:.4f}",
    }


def _backs(line: Line, style: Style, curve: Curve, view: View) -> list[dict[str, Any]]:
    """The seeds' spread, or one seed's raw values behind their average; and each seed's own if wanted."""
    silent = {
        "type": "scatter", "legendgroup": style.uid, "showlegend": False, "hoverinfo": "skip", "mode": "lines",
    }  # fmt: skip
    traces = []
    if len(line.seeds) > 1:
        low, high = _band(line.mean, curve.column, view)
        edge = silent | {"line": {"width": 0, "color": style.colour}}
        traces.append(edge | {"uid": f"{style.uid}-low", "x": low[0], "y": low[1]})
        filled = {"fill": "tonexty", "fillcolor": style.fill(0.2)}
        traces.append(edge | filled | {"uid": f"{style.uid}-high", "x": high[0], "y": high[1]})
    elif curve.is_noisy and view.smoothing > 0 and not view.differences:
        x, y = _zigzag(line.mean, curve.column, view)
        traces.append(silent | {"uid": f"{style.uid}-raw", "x": x, "y": y, "line": _thin(style)})
    if view.singles and len(line.seeds) > 1:
        for number, seed in enumerate(line.seeds):
            x, y = _points(seed, curve.column, view)
            traces.append(silent | {"uid": f"{style.uid}-{number}", "x": x, "y": y, "line": _thin(style, 0.7)})
    return traces


def _thin(style: Style, opacity: float = FAINT) -> dict[str, object]:
    return {"color": style.fill(opacity), "width": 1}


def _band(mean: pd.DataFrame, column: str, view: View) -> tuple[Points, Points]:
    """The mean minus and plus the seeds' standard deviation; on a logarithmic axis, at most a decade down."""
    x, y = mean[view.x].to_numpy(np.float32), _values(mean, column, view)
    spread = mean[f"{column}_sd"].fillna(0).to_numpy(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = y - spread, y + spread
    if view.log_y:
        low = np.maximum(low, y / 10)
    shown = _is_shown(x, low, view) & np.isfinite(high)
    return (x[shown], low[shown]), (x[shown], high[shown])


def _zigzag(frame: pd.DataFrame, column: str, view: View) -> Points:
    """From each point's lowest value to its highest, so that no peak is lost by thinning."""
    x = np.repeat(frame[view.x].to_numpy(np.float32), 2)
    y = np.column_stack([frame[f"{column}_low"], frame[f"{column}_high"]]).ravel().astype(np.float32)
    shown = _is_shown(x, y, view)
    return x[shown], y[shown]


def _x_axis(view: View) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": {"epoch": "epoch", "step": "step", "seconds": "seconds"}[view.x]}}
    axis["hoverformat"] = {"epoch": ".2f", "step": ",.0f", "seconds": ".1f"}[view.x]
    return axis | ({"type": "log"} if view.log_x else {"rangemode": "tozero"})


def _y_axis(
    points: Sequence[Points], lines: Mapping[str, Line], curve: Curve, view: View, differs: bool
) -> dict[str, Any]:
    axis: dict[str, Any] = {"tickformat": ".0%"} if curve.is_fraction else {}
    means = [line.mean for line in lines.values()]
    if differs:
        return axis | {"zeroline": True, "zerolinewidth": 2} | settled_range(points, means, curve, view, differs=True)
    if view.log_y:
        return axis | {"type": "log"}
    return axis | settled_range(points, means, curve, view)


def settled_range(
    points: Sequence[Points], means: Sequence[pd.DataFrame], curve: Curve, view: View, *, differs: bool = False
) -> dict[str, Any]:
    """What the lines span once the first steep fall is over, so that their differences fill the chart.

    Nothing, for plotly to choose, before the first epoch is over; plotly.js fails on a range of null. A line that
    flies off (a diverging run's) does not press the others flat.
    """
    if max((float(mean["epoch"].max()) for mean in means if len(mean)), default=0.0) < 1:
        return {}
    settled = [_settled_x(mean, view) for mean in means]
    # In double precision, or twenty times a value near the largest float32 overflows.
    values = np.concatenate([y[x >= start].astype(float) for (x, y), start in zip(points, settled, strict=True)])
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


def _settled_x(mean: pd.DataFrame, view: View) -> float:
    late = mean.loc[mean["epoch"] >= SETTLED_EPOCH, view.x]
    return float(late.iloc[0]) if len(late) else float("inf")


def curve_alt(lines: Mapping[str, Line], curve: Curve) -> str:
    """The chart's finding in a sentence: where each line has got to, the best first."""
    ends = {label: _end(line.mean, curve.column) for label, line in lines.items()}
    known = {label: end for label, end in ends.items() if np.isfinite(end)}
    if not known:
        return f"{curve.title}: nothing trained yet."
    ordered = sorted(known.items(), key=lambda end: end[1], reverse=curve.is_fraction)
    words = [f"{name} {value:.1%}" if curve.is_fraction else f"{name} {value:.3f}" for name, value in ordered]
    return f"{curve.title} by epoch, the best first: {', '.join(words)}."


def _end(mean: pd.DataFrame, column: str) -> float:
    return float(mean[column].iloc[-1]) if len(mean) else float("nan")
