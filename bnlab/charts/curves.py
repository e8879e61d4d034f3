"""Loss and accuracy over training: one line a variant, with what it was made of behind it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bnlab.charts.curve_axes import out_of_sight, x_axis, y_axis
from bnlab.charts.drawing import Drawing, Trace
from bnlab.charts.lines import (
    KEPT,
    Curve,
    Floats,
    Line,
    Points,
    band_points,
    floats,
    is_shown,
    mean_points,
    shown_points,
)
from bnlab.charts.points import Columns, minus_baseline
from bnlab.charts.style import Style, message_layout
from bnlab.charts.view import View

MARKED_POINTS = 40
FAINT = 0.08
# At the chart's lower edge, under the axis however high that is; all of it, for one that scrolls hides a line's name.
LEGEND = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "maxheight": 1, "traceorder": "normal"}

TRAINING_CURVES = (
    Curve("loss", "Training loss", False, True),
    Curve("accuracy", "Training accuracy", True, True),
)
VALIDATION_CURVES = (
    Curve("val_loss", "Validation loss", False, False),
    Curve("val_accuracy", "Validation accuracy", True, False),
)


def differing_lines(lines: Mapping[str, Line], curve: Curve, view: View) -> dict[str, Line]:
    """The others minus the baseline's, if that is what the view asks for and the baseline is among them.

    Its own would be the line at zero, which the axis has, in a band that belongs to none of the differences.
    """
    if not differs(lines, view):
        return dict(lines)
    along = "seconds" if view.x == "seconds" else "epoch"
    others = {label: line for label, line in lines.items() if label != view.baseline}
    return {label: _less(line, lines[view.baseline], curve.column, along) for label, line in others.items()}


@lru_cache(maxsize=KEPT)
def _less(line: Line, baseline: Line, column: str, along: str) -> Line:
    def less(own: Columns) -> Columns:
        names = [name for name in (column, f"{column}_low", f"{column}_high") if name in own]
        shifted = {**baseline.mean, **dict.fromkeys(names, baseline.mean[column])}
        return minus_baseline(own, shifted, names, along)

    return Line(less(line.mean), [less(seed) for seed in line.seeds])


def curve_figure(lines: Mapping[str, Line], styles: Mapping[str, Style], curve: Curve, view: View) -> go.Figure:
    """One line a variant, its spread or its raw values behind it; `lines` and `styles` by the variants' labels."""
    return curve_drawing(lines, styles, curve, view).figure()


def curve_drawing(
    lines: Mapping[str, Line], styles: Mapping[str, Style], curve: Curve, view: View, *, awaited: bool = False
) -> Drawing:
    """What `curve_figure` shows, as light as a live chart needs it; `awaited` if a line has still to grow."""
    drawn, minus = differing_lines(lines, curve, view), differs(lines, view)
    view = view.model_copy(update={"log_y": view.log_y and not (curve.is_fraction or minus)})
    traces = [_traces(line, styles[label], curve, view) for label, line in drawn.items()]
    if all(front["x"].size == 0 for _, front in traces):
        return Drawing([], message_layout(curve.title, why_empty(lines, curve, view, awaited=awaited)))
    upwards = y_axis(list(drawn.values()), curve, view, differs=minus)
    told = [f"minus {view.baseline}’s"] if minus else []
    told += _unseen(out_of_sight(drawn, curve, view, upwards))
    subtitle = {"subtitle": {"text": escape(" · ".join(told), quote=False)}} if told else {}
    layout = {
        "title": {"text": curve.title} | subtitle,
        "hovermode": "x unified",
        "legend": LEGEND,
        "margin": {"l": 56, "r": 12, "t": 66 if told else 40, "b": 8},
        "uirevision": f"{curve.title}-{view.x}-{view.log_x}-{view.log_y}-{minus}-{view.baseline if minus else ''}",
        "xaxis": x_axis(view),
        "yaxis": upwards,
    }
    return Drawing([*(t for backs, _ in traces for t in backs), *(front for _, front in traces)], layout)


def _unseen(labels: Sequence[str]) -> list[str]:
    """What a reader looks for in vain."""
    if not labels:
        return []
    return [f"{labels[0]} is off the chart" if len(labels) == 1 else f"{len(labels)} networks are off the chart"]


@lru_cache(maxsize=KEPT)
def _traces(line: Line, style: Style, curve: Curve, view: View) -> tuple[tuple[Trace, ...], Trace]:
    """What stands behind a line, and the line itself."""
    backs = tuple(Trace(back) for back in _backs(line, style, curve, view))
    return backs, Trace(_front(*mean_points(line, curve.column, view), style, curve, view))


def differs(lines: Mapping[str, Line], view: View) -> bool:
    """Whether the chart shows differences: the view asks for them, and its baseline is among the lines."""
    return view.differences and view.baseline in lines


def why_empty(lines: Mapping[str, Line], curve: Curve, view: View, *, awaited: bool) -> str:
    """Why there is nothing to see."""
    means = [line.mean for line in lines.values() if len(line)]
    if not means:
        return "Waiting for the first steps" if awaited else "Nothing trained yet"
    if not any(np.isfinite(mean[curve.column]).any() for mean in means):
        return "The loss was never a number"
    return "Nothing to compare yet" if differs(lines, view) else "Nothing on this axis yet"


def _front(x: Floats, y: Floats, style: Style, curve: Curve, view: View) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": style.uid,
        "legendgroup": style.uid,
        "name": escape(style.name, quote=False),  # plotly reads <b> and its like
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
        low, high = band_points(line, curve.column, view)
        edge = silent | {"line": {"width": 0, "color": style.colour}}
        traces.append(edge | {"uid": f"{style.uid}-low", "x": low[0], "y": low[1]})
        filled = {"fill": "tonexty", "fillcolor": style.fill(0.2)}
        traces.append(edge | filled | {"uid": f"{style.uid}-high", "x": high[0], "y": high[1]})
    elif curve.is_noisy and view.smoothing > 0 and not view.differences:
        x, y = _zigzag(line.mean, curve.column, view)
        traces.append(silent | {"uid": f"{style.uid}-raw", "x": x, "y": y, "line": _thin(style)})
    if view.singles and len(line.seeds) > 1:
        for number, seed in enumerate(line.seeds):
            x, y = shown_points(seed, curve.column, view)
            traces.append(silent | {"uid": f"{style.uid}-{number}", "x": x, "y": y, "line": _thin(style, 0.7)})
    return traces


def _thin(style: Style, opacity: float = FAINT) -> dict[str, object]:
    return {"color": style.fill(opacity), "width": 1}


def _zigzag(mean: Columns, column: str, view: View) -> Points:
    """In each point's stretch its lowest and its highest value, so that no peak is lost by thinning."""
    ends = mean[view.x]
    middles = ends - np.diff(ends, prepend=0.0) / 2
    x = floats(np.column_stack([middles, ends]).ravel())
    y = floats(np.column_stack([mean[f"{column}_low"], mean[f"{column}_high"]]).ravel())
    shown = is_shown(x, y, view)
    return x[shown], y[shown]
