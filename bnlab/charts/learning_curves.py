"""The charts of loss and accuracy over training: one line a variant, with what it was made of behind it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlab.charts.figures import Drawing, Trace, message_layout
from bnlab.charts.formatting import format_power, format_signed
from bnlab.charts.series import Curve, CurveData, CurveSettings, Floats, Points, SeriesPoints, prepare_curves
from bnlab.charts.style import Style
from bnlab.runs.curves_cache import RunCurves

MARKED_POINTS = 40
FAINT = 0.08
CACHED_LINES = 512
# At the chart's lower edge, under the axis however high that is; all of it, for one that scrolls hides a line's name.
LEGEND = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "maxheight": 1, "traceorder": "normal"}
# Every label the whole number: plotly's own are 1, small 2 and 5 for 20 and 50, and 10³, all on one axis.
LOGARITHMIC = {"type": "log", "tickformat": ",~g", "nticks": 5}

SHORT = 2.0
"""Epochs: of lines that are no longer, all is shown."""
SETTLED_EPOCH = 0.2
LONG = 5.0
"""Epochs from which on what comes before SETTLED_EPOCH is out of the range."""
FARTHEST = 20.0
NEVER_FAR = 5.0
"""A loss about twice that of guessing among ten: no line that stays below it has flown off."""
MARGIN = 0.05

LARGE = 1e4
ALT_AXES = {"epoch": "epoch", "step": "step", "seconds": "second"}


@dataclass(frozen=True)
class LearningCurve:
    """One of the charts, ready to be drawn, and what it shows in words."""

    curve: Curve
    drawing: Drawing
    alt: str


def learning_curves(
    runs: Mapping[str, Sequence[RunCurves]], styles: Mapping[str, Style], settings: CurveSettings, *, awaited: bool
) -> list[LearningCurve]:
    """Loss and accuracy, in training and in validation; `runs` and `styles` by the variants' labels.

    `awaited` says whether a run has still to grow.
    """
    return [
        LearningCurve(data.curve, curve_drawing(data, styles, awaited=awaited), curve_alt(data, awaited=awaited))
        for data in prepare_curves(runs, settings)
    ]


def curve_drawing(data: CurveData, styles: Mapping[str, Style], *, awaited: bool = False) -> Drawing:
    """One line a variant, its spread or its raw values behind it."""
    curve, settings = data.curve, data.settings
    traces = [_traces(points, styles[label], curve, settings) for label, points in data.lines.items()]
    if all(front["x"].size == 0 for _, front in traces):
        return Drawing([], message_layout(curve.title, _why_empty(data, awaited=awaited)))
    yaxis = _y_axis(data)
    remarks = [f"minus {settings.baseline}’s"] if data.is_difference else []
    remarks += _out_of_range_text(_out_of_range(data, yaxis))
    subtitle = {"subtitle": {"text": escape(" · ".join(remarks), quote=False)}} if remarks else {}
    baseline = settings.baseline if data.is_difference else ""
    layout = {
        "title": {"text": curve.title} | subtitle,
        "hovermode": "x unified",
        "legend": LEGEND,
        "margin": {"l": 56, "r": 12, "t": 66 if remarks else 40, "b": 8},
        "uirevision": f"{curve.id}-{settings.x}-{settings.log_x}-{settings.log_y}-{data.is_difference}-{baseline}",
        "xaxis": _x_axis(settings),
        "yaxis": yaxis,
    }
    return Drawing([*(back for backs, _ in traces for back in backs), *(front for _, front in traces)], layout)


def curve_alt(data: CurveData, *, awaited: bool = False) -> str:
    """The chart's finding: where each line has got to, the best first, and which have no number or nothing there."""
    curve = data.curve
    ends = {label: points.end for label, points in data.lines.items() if points.end is not None}
    if not ends:
        return f"{curve.title}: {_why_empty(data, awaited=awaited).lower()}."
    finite = {label: end for label, end in ends.items() if np.isfinite(end)}
    best_first = sorted(finite, key=finite.__getitem__, reverse=curve.is_fraction)
    parts = [
        (_alt_title(data), [f"{label} {_value_text(finite[label], data)}" for label in best_first] or ["none"]),
        ("No longer a number", [label for label in ends if label not in finite]),
        ("Nothing yet", [label for label in data.lines if label not in ends]),
    ]
    return " ".join(f"{title}: {', '.join(labels)}." for title, labels in parts if labels)


def _alt_title(data: CurveData) -> str:
    title = f"{data.curve.title} minus {data.settings.baseline}’s" if data.is_difference else data.curve.title
    means = ", means over seeds" if any(points.band is not None for points in data.lines.values()) else ""
    return f"{title} by {ALT_AXES[data.settings.x]}{means}, the best first"


def _value_text(value: float, data: CurveData) -> str:
    if data.curve.is_fraction:
        return f"{format_signed(100 * value)} points" if data.is_difference else f"{value:.1%}"
    if data.is_difference:
        return format_signed(value)
    return f"{value:.3f}" if value < LARGE else format_power(value)


def _why_empty(data: CurveData, *, awaited: bool) -> str:
    """Why there is nothing to see."""
    if not data.has_points:
        return "Waiting for the first steps" if awaited else "Nothing trained yet"
    if not data.has_finite:
        return "The loss was never a number"
    return "Nothing to compare yet" if data.is_difference else "Nothing on this axis yet"


@lru_cache(maxsize=CACHED_LINES)
def _traces(
    points: SeriesPoints, style: Style, curve: Curve, settings: CurveSettings
) -> tuple[tuple[Trace, ...], Trace]:
    """What stands behind a line, and the line itself."""
    backs = tuple(Trace(back) for back in _backs(points, style))
    return backs, Trace(_front(points.mean, style, curve, settings))


def _front(points: Points, style: Style, curve: Curve, settings: CurveSettings) -> dict[str, Any]:
    x, y = points
    return {
        "type": "scatter",
        "uid": style.uid,
        "legendgroup": style.uid,
        "name": escape(style.name, quote=False),  # plotly reads <b> and its like
        "x": x,
        "y": y,
        "mode": "lines+markers" if len(x) < MARKED_POINTS else "lines",
        "line": style.line(4.5 if settings.projector else 2.5),
        "marker": {"size": 8 if settings.projector else 5},
        "hovertemplate": "%{y:.2%}" if curve.is_fraction else "%{y:.4f}",
    }


def _backs(points: SeriesPoints, style: Style) -> list[dict[str, Any]]:
    """The seeds' spread, or one seed's raw values behind their average; and each seed's own if wanted."""

    def back(kind: str, xy: Points, **properties: object) -> dict[str, Any]:
        return {
            "type": "scatter",
            "legendgroup": style.uid,
            "showlegend": False,
            "hoverinfo": "skip",
            "mode": "lines",
            "uid": f"{style.uid}-{kind}",
            "x": xy[0],
            "y": xy[1],
            **properties,
        }

    traces = []
    if points.band is not None:
        edge = {"width": 0, "color": style.colour}
        low, high = points.band
        traces.append(back("low", low, line=edge))
        traces.append(back("high", high, line=edge, fill="tonexty", fillcolor=style.fill(0.2)))
    elif points.raw is not None:
        traces.append(back("raw", points.raw, line=_thin(style)))
    return [*traces, *(back(str(index), seed, line=_thin(style, 0.7)) for index, seed in enumerate(points.seeds))]


def _thin(style: Style, opacity: float = FAINT) -> dict[str, object]:
    return {"color": style.fill(opacity), "width": 1}


def _x_axis(settings: CurveSettings) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": {"epoch": "epoch", "step": "step", "seconds": "seconds"}[settings.x]}}
    axis["hoverformat"] = {"epoch": ".2f", "step": ",.0f", "seconds": ".1f"}[settings.x]
    return axis | (LOGARITHMIC if settings.log_x else {"rangemode": "tozero"})


def _y_axis(data: CurveData) -> dict[str, Any]:
    axis: dict[str, Any] = {"tickformat": ".3~%"} if data.curve.is_fraction else {}
    if data.is_difference:
        return axis | {"zeroline": True, "zerolinewidth": 2} | _settled_range(data)
    if data.settings.log_y:
        return axis | LOGARITHMIC | {"nticks": 4}  # with 5, plotly labels each digit of a decade and a half
    return axis | _settled_range(data)


def _settled_range(data: CurveData) -> dict[str, Any]:
    """What the lines and their bands span once the first steep fall is over, so that differences fill the chart.

    All of it where it is short or the first steps are what is looked at; nothing, for plotly to choose, where nothing
    is drawn: plotly.js fails on a range of null. A line that flies off (a diverging run's) does not press the others
    flat.
    """
    start = 0.0 if data.settings.log_x else _start(data.lines.values())
    spans = [span for points in data.lines.values() if (span := _span(points, start)).size]
    if not spans:
        return {}
    nearest = min(float(np.abs(span).max()) for span in spans)
    values = np.concatenate(spans)
    values = values[np.abs(values) <= max(FARTHEST * nearest, NEVER_FAR)]
    low, high = float(values.min()), float(values.max())
    margin = max(MARGIN * ((high - low) or abs(high)), 0.002)
    if data.is_difference:
        return {"range": [low - margin, high + margin]}
    if data.curve.is_fraction:
        return {"range": [low - margin, min(high + margin, 1.001)]}
    return {"range": [max(low - margin, 0), high + margin]}


def _out_of_range(data: CurveData, axis: Mapping[str, Any]) -> list[str]:
    """The lines that have ended outside the range of the y axis: those that fly off."""
    if "range" not in axis:
        return []
    low, high = axis["range"]
    ends = {label: float(y[-1]) for label, points in data.lines.items() if (y := points.mean[1]).size}
    return [label for label, end in ends.items() if not low <= end <= high]


def _out_of_range_text(labels: Sequence[str]) -> list[str]:
    if not labels:
        return []
    return [f"{labels[0]} is off the chart" if len(labels) == 1 else f"{len(labels)} networks are off the chart"]


def _start(lines: Iterable[SeriesPoints]) -> float:
    """The epoch from which on the lines are in the range: it moves slowly, and so does the range, while they grow."""
    longest = max((float(points.epochs.max()) for points in lines if points.epochs.size), default=0.0)
    return SETTLED_EPOCH * min(max((longest - SHORT) / (LONG - SHORT), 0.0), 1.0)


@lru_cache(maxsize=CACHED_LINES)
def _span(points: SeriesPoints, start: float) -> NDArray[np.float64]:
    """The values of a line and of what is behind it from the epoch `start` on, without those that fly off from it.

    In double precision, or twenty times a large float32 overflows.
    """
    late = points.epochs >= start
    if not late.any():
        return np.empty(0)
    begin = np.float32(points.x[late.argmax()])
    mean = _from(begin, *points.mean)
    values = np.concatenate([mean, *(_from(begin, x, y) for x, y in (*(points.band or ()), *points.seeds))])
    far = max(FARTHEST * float(np.median(np.abs(mean))), float(np.abs(mean[0]))) if mean.size else 0.0
    near: NDArray[np.float64] = values[np.abs(values) <= far]
    return near


def _from(begin: np.float32, x: Floats, y: Floats) -> NDArray[np.float64]:
    late: NDArray[np.float64] = y[x >= begin].astype(float)
    return late
