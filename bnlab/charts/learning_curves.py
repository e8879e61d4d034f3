"""The charts of loss and accuracy over training: one line per variant, with its seeds or raw values behind it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlab.charts.curve_settings import Curve, CurveSettings
from bnlab.charts.figures import Drawing, Trace, initial_range, message_layout, raise_zeros, zero_level
from bnlab.charts.formatting import divergence_remark, divergence_text, escape_plotly, format_power, format_signed
from bnlab.charts.line_labels import label_margin, line_labels
from bnlab.charts.series import CurveData, Floats, Points, SeriesPoints, prepare_curves
from bnlab.charts.style import Style
from bnlab.runs.curves_cache import RunCurves
from bnlab.runs.summary import SHARED_TEXTS

MAX_MARKED_POINTS = 40
RAW_OPACITY, SEED_OPACITY, BAND_OPACITY = 0.08, 0.7, 0.2
CACHED_LINES = 512
# Of a downloaded picture. At its lower edge, whatever the height of the axis, and in full.
LEGEND = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "maxheight": 1, "traceorder": "normal"}
# Every label in full: plotly's default mixes 1, a small 2 and 5 for 20 and 50, and 10³ on one axis.
LOGARITHMIC = {"type": "log", "tickformat": ",~g", "nticks": 5}
AXIS_TITLES = {"epoch": "epoch", "step": "step", "seconds": "seconds"}
AXIS_HOVER_FORMATS = {"epoch": ".2f", "step": ",.0f", "seconds": ".1f"}
AXIS_NAMES = {"epoch": "epoch", "step": "step", "seconds": "second"}
"""For alternative texts."""

# The y axis leaves out the first steep fall of long lines. In epochs:
MAX_UNCROPPED_EPOCHS = 2.0
"""Lines up to this length are shown from their start."""
MIN_CROPPED_EPOCHS = 5.0
"""Lines from this length on are shown from CROP_EPOCH on."""
CROP_EPOCH = 0.2
DIVERGED_RATIO = 20.0
"""Values this many times larger than a line's median, or than the smallest line, are left out of the y axis."""
NEVER_DIVERGED = 5.0
"""No line below this is left out: it is about twice the loss of guessing among ten classes."""
MARGIN, MIN_MARGIN = 0.05, 0.002  # of the y axis's span; in its unit
MIN_POWER_LOSS = 1e4
"""Losses from here on are written with a power of ten."""


@dataclass(frozen=True)
class LearningCurve:
    """One of the charts, ready to be drawn, and its alternative text."""

    curve: Curve
    drawing: Drawing
    alt: str


def learning_curves(
    runs: Mapping[str, Sequence[RunCurves]],
    styles: Mapping[str, Style],
    settings: CurveSettings,
    *,
    awaited: bool,
    shared: bool,
) -> list[LearningCurve]:
    """Loss and accuracy, in training and in validation; `runs` and `styles` by the variants' labels.

    `awaited` says whether a run will still record more, `shared` whether one was trained beside other work.
    """
    return [
        LearningCurve(
            data.curve,
            curve_drawing(data, styles, awaited=awaited, shared=shared),
            curve_alt(data, awaited=awaited, shared=shared),
        )
        for data in prepare_curves(runs, settings)
    ]


def curve_drawing(
    data: CurveData, styles: Mapping[str, Style], *, awaited: bool = False, shared: bool = False
) -> Drawing:
    """One line per variant, in front of all bands and raw values."""
    curve, settings = data.curve, data.settings
    level = _zero_level(data)
    traces = [_traces(points, styles[label], curve, settings, level) for label, points in data.lines.items()]
    remarks = [*_baseline_remarks(data), *_divergence_remarks(data)]
    if all(line["x"].size == 0 for _, line in traces):
        message = message_layout(curve.title, _empty_message(data, awaited=awaited))
        has_diverged = data.baseline_diverged or _divergences(data)
        return Drawing([], message | ({"title": _title(curve, remarks)} if has_diverged else {}))
    yaxis = _y_axis(data)
    remarks += _out_of_range_remarks(_out_of_range(data, yaxis))
    remarks += ["zeros at the lower edge"] if level else []
    baseline = settings.baseline if data.is_difference else ""
    layout: dict[str, Any] = {
        "title": _title(curve, remarks),
        "hovermode": "x unified",
        "legend": LEGEND,
        "showlegend": False,  # the page has it above all charts; a downloaded picture shows it
        "margin": {"l": 56, "r": 12, "t": 66 if remarks else 40, "b": 36},
        "uirevision": f"{curve.id}-{settings.x}-{settings.log_x}-{settings.log_y}-{data.is_difference}-{baseline}",
        "xaxis": _x_axis(settings, shared=shared),
        "yaxis": yaxis,
    }
    if settings.projector:
        layout["annotations"] = line_labels(data.lines, styles, settings, None if settings.log_y else _y_limits(data))
        layout["margin"]["r"] = label_margin(list(data.lines))
    background = [trace for backs, _ in traces for trace in backs]
    return Drawing([*background, *(line for _, line in traces)], layout)


def _title(curve: Curve, remarks: Sequence[str]) -> dict[str, Any]:
    subtitle = {"subtitle": {"text": escape_plotly(" · ".join(remarks))}} if remarks else {}
    return {"text": curve.title} | subtitle


def curve_alt(data: CurveData, *, awaited: bool = False, shared: bool = False) -> str:
    """Each line's last value, the best first, then the variants whose last value is not finite or missing."""
    curve = data.curve
    ends = {label: points.end for label, points in data.lines.items() if points.end is not None}
    divergences = [f"{text}." for text in (*_baseline_divergence(data), *_divergences(data).values())]
    if not ends:
        return " ".join([f"{curve.title}: {_empty_message(data, awaited=awaited).lower()}.", *divergences])
    finite = {label: end for label, end in ends.items() if np.isfinite(end)}
    best_first = sorted(finite, key=finite.__getitem__, reverse=curve.is_fraction)
    parts = [
        (
            _alt_title(data, shared=shared),
            [f"{label} {_value_text(finite[label], data)}" for label in best_first] or ["none"],
        ),
        ("No longer a number", [label for label in ends if label not in finite]),
        ("Nothing yet", [label for label in data.lines if label not in ends]),
        ("Exact zeros, drawn at the lower edge", _lines_with_zeros(data)),
    ]
    sentences = [f"{title}: {', '.join(labels)}." for title, labels in parts if labels]
    return " ".join([*sentences, *divergences])


def _alt_title(data: CurveData, *, shared: bool) -> str:
    title = f"{data.curve.title} minus {data.settings.baseline}’s" if data.is_difference else data.curve.title
    means = ", means over seeds" if any(points.band is not None for points in data.lines.values()) else ""
    return (
        f"{title} by {AXIS_NAMES[data.settings.x]}{_shared_remark(data.settings, shared=shared)}{means}, the best first"
    )


def _value_text(value: float, data: CurveData) -> str:
    if data.curve.is_fraction:
        return f"{format_signed(100 * value)} points" if data.is_difference else f"{value:.1%}"
    if data.is_difference:
        return format_signed(value)
    return f"{value:.3f}" if value < MIN_POWER_LOSS else format_power(value)


def _empty_message(data: CurveData, *, awaited: bool) -> str:
    """The reason why the chart is empty."""
    if data.was_evaluated and not data.has_points and not data.is_default:
        return "Not evaluated like this: see “Evaluate with” in Settings"
    if not data.has_points:
        return "Waiting for the first steps" if awaited else "Nothing trained yet"
    if not data.has_finite:
        return "Loss was never finite"
    return "Nothing to compare yet" if data.is_difference else "Nothing on this axis yet"


# Traces


@lru_cache(maxsize=CACHED_LINES)
def _traces(
    points: SeriesPoints, style: Style, curve: Curve, settings: CurveSettings, level: float
) -> tuple[tuple[Trace, ...], Trace]:
    """The traces behind a variant's line, and the line; exact zeros are drawn at `level` unless it is 0."""
    traces = [*_background_traces(points, style), _line_trace(points, style, curve, settings)]
    if (is_fewer := _is_over_fewer(points)).any():
        traces.insert(-1, _fewer_seeds_trace(points, is_fewer, style))
    if level:
        for trace in traces:
            trace["y"] = raise_zeros(trace["y"], level)
    *backs, line = map(Trace, traces)
    return tuple(backs), line


def _line_trace(points: SeriesPoints, style: Style, curve: Curve, settings: CurveSettings) -> dict[str, Any]:
    x, y = points.mean
    value = "%{customdata}" if settings.log_y and not y.all() else "%{y}"
    value_format = ":.2%}" if curve.is_fraction else ":.4g}" if settings.log_y else ":.4f}"
    texts = _seed_texts(points)
    return {
        "type": "scatter",
        "uid": style.uid,
        "legendgroup": style.uid,
        "name": style.trace_name,
        "x": x,
        "y": y,
        "mode": "lines+markers" if len(x) < MAX_MARKED_POINTS else "lines",
        "line": style.line(4.5 if settings.projector else 2.5),
        "marker": {"size": 8 if settings.projector else 5},
        "hovertemplate": value.replace("}", value_format) + ("%{text}" if texts else ""),
        **({"customdata": y} if settings.log_y and not y.all() else {}),
        **({"text": texts} if texts else {}),
    }


def _seed_texts(points: SeriesPoints) -> list[str]:
    """For each point, over how many seeds its mean is, and the baseline's; empty if over all of them everywhere."""
    ratios = {
        title: [f"{title}{count} of {total}" if count < total else "" for count in counts.tolist()]
        for title, counts, total in (
            ("", points.counts, points.seed_count),
            ("baseline: ", points.baseline_counts, points.baseline_seed_count),
        )
        if counts is not None and (counts < total).any()
    }
    texts = [" seeds, ".join(filter(None, parts)) for parts in zip(*ratios.values(), strict=True)]
    return [f" ({text} seeds)" if text else "" for text in texts]


def _is_over_fewer(points: SeriesPoints) -> NDArray[np.bool_]:
    """Whether each point is the first of a mean, or of a difference to one, over fewer seeds than the point before."""
    counts = [numbers for numbers in (points.counts, points.baseline_counts) if numbers is not None]
    is_first = np.zeros(len(points.mean[0]), bool)
    for numbers in counts:
        is_first |= np.diff(numbers, prepend=numbers[:1]) < 0
    return is_first


def _fewer_seeds_trace(points: SeriesPoints, is_first: NDArray[np.bool_], style: Style) -> dict[str, Any]:
    """A mark at each point that is the first over fewer seeds."""
    x, y = points.mean
    return {
        "type": "scatter",
        "legendgroup": style.uid,
        "showlegend": False,
        "hoverinfo": "skip",
        "mode": "markers",
        "uid": f"{style.uid}-fewer",
        "x": x[is_first],
        "y": y[is_first],
        "marker": {"symbol": "x", "size": 9, "color": style.color},
    }


def _background_traces(points: SeriesPoints, style: Style) -> list[dict[str, Any]]:
    """The seeds' band, or a single seed's raw values; and each seed's line if there are any."""

    def trace(kind: str, xy: Points, **properties: object) -> dict[str, Any]:
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
        edge = {"width": 0, "color": style.color}
        low, high = points.band
        traces.append(trace("low", low, line=edge))
        traces.append(trace("high", high, line=edge, fill="tonexty", fillcolor=style.fill(BAND_OPACITY)))
    elif points.raw is not None:
        traces.append(trace("raw", points.raw, line=_thin_line(style, RAW_OPACITY)))
    seed_line = _thin_line(style, SEED_OPACITY)
    return [*traces, *(trace(str(index), seed, line=seed_line) for index, seed in enumerate(points.seeds))]


def _thin_line(style: Style, opacity: float) -> dict[str, object]:
    return {"color": style.fill(opacity), "width": 1}


# Remarks


def _divergences(data: CurveData) -> dict[str, str]:
    """For each variant with diverged seeds, how many of them and when."""
    return {
        label: divergence_text(label, points.diverged, points.seed_count)
        for label, points in data.lines.items()
        if points.diverged
    }


def _baseline_divergence(data: CurveData) -> list[str]:
    """How many seeds of the baseline diverged and when, if `lines` are differences to it and any did."""
    if not data.baseline_diverged:
        return []
    return [divergence_text(data.settings.baseline, data.baseline_diverged, data.baseline_seed_count)]


def _baseline_remarks(data: CurveData) -> list[str]:
    """For the subtitle: what is subtracted, and which of its seeds diverged."""
    if not data.is_difference:
        return []
    diverged = divergence_remark(data.baseline_diverged, data.baseline_seed_count) if data.baseline_diverged else ""
    return [f"minus {data.settings.baseline}’s{f' ({diverged})' if diverged else ''}"]


def _divergence_remarks(data: CurveData) -> list[str]:
    """In a few words, for the subtitle: of one variant as `_divergences`, of several their number."""
    texts = list(_divergences(data).values())
    return texts if len(texts) < 2 else [f"{len(texts)} networks have diverged seeds"]


def _lines_with_zeros(data: CurveData) -> list[str]:
    """The labels of the lines with exact zeros on a logarithmic axis."""
    if not data.settings.log_y:
        return []
    return [label for label, points in data.lines.items() if any((y == 0).any() for _, y in _drawn_points(points))]


def _zero_level(data: CurveData) -> float:
    """Where exact zeros are drawn on a logarithmic axis; 0 if there are none."""
    if not _lines_with_zeros(data):
        return 0.0
    return zero_level(np.concatenate([y for points in data.lines.values() for _, y in _drawn_points(points)]))


def _drawn_points(points: SeriesPoints) -> Iterable[Points]:
    """All lines of a variant."""
    return (points.mean, *(points.band or ()), *([points.raw] if points.raw else ()), *points.seeds)


# Axes


def _x_axis(settings: CurveSettings, *, shared: bool) -> dict[str, Any]:
    title = AXIS_TITLES[settings.x] + _shared_remark(settings, shared=shared)
    axis = {"title": {"text": title}, "hoverformat": AXIS_HOVER_FORMATS[settings.x]}
    return axis | (LOGARITHMIC if settings.log_x else {"rangemode": "tozero"})


def _shared_remark(settings: CurveSettings, *, shared: bool) -> str:
    """What qualifies the seconds of runs of which some were trained beside other work."""
    return f" (some {SHARED_TEXTS[True]})" if shared and settings.x == "seconds" else ""


def _y_axis(data: CurveData) -> dict[str, Any]:
    axis: dict[str, Any] = {"tickformat": ".3~%"} if data.curve.is_fraction else {}
    if data.settings.log_y:
        return axis | LOGARITHMIC | {"nticks": 4}  # with 5, plotly labels each digit of a decade and a half
    if data.is_difference:
        axis |= {"zeroline": True, "zerolinewidth": 2}
    limits = _y_limits(data)
    return axis | (initial_range(*limits) if limits else {})


def _y_limits(data: CurveData) -> tuple[float, float] | None:
    """The range of the lines and their bands after the first steep fall, so that differences fill the chart.

    From the start where lines are short or the x axis is logarithmic. A diverging line does not flatten the others.
    None if nothing is drawn.
    """
    start = 0.0 if data.settings.log_x else _start_epoch(data.lines.values())
    spans = [span for points in data.lines.values() if (span := _span(points, start)).size]
    if not spans:
        return None
    smallest = min(float(np.abs(span).max()) for span in spans)
    values = np.concatenate(spans)
    values = values[np.abs(values) <= max(DIVERGED_RATIO * smallest, NEVER_DIVERGED)]
    low, high = float(values.min()), float(values.max())
    margin = max(MARGIN * ((high - low) or abs(high)), MIN_MARGIN)
    if data.is_difference:
        return low - margin, high + margin
    if data.curve.is_fraction:
        return low - margin, min(high + margin, 1.001)
    return max(low - margin, 0), high + margin


def _start_epoch(lines: Iterable[SeriesPoints]) -> float:
    """The epoch from which on lines are in the range; it increases slowly while they grow, as the range must."""
    longest = max((float(points.epochs.max()) for points in lines if points.epochs.size), default=0.0)
    progress = (longest - MAX_UNCROPPED_EPOCHS) / (MIN_CROPPED_EPOCHS - MAX_UNCROPPED_EPOCHS)
    return CROP_EPOCH * min(max(progress, 0.0), 1.0)


@lru_cache(maxsize=CACHED_LINES)
def _span(points: SeriesPoints, start: float) -> NDArray[np.float64]:
    """The values of a line, its band and its seeds from the epoch `start` on, without those that diverge from it.

    In double precision: DIVERGED_RATIO times a large float32 overflows.
    """
    if not points.epochs.size or points.epochs[-1] < start:
        return np.empty(0)
    first_x = np.float32(np.interp(start, points.epochs, points.mean[0]))
    mean = _values_from(first_x, *points.mean)
    values = np.concatenate([mean, *(_values_from(first_x, x, y) for x, y in (*(points.band or ()), *points.seeds))])
    limit = max(DIVERGED_RATIO * float(np.median(np.abs(mean))), float(np.abs(mean[0]))) if mean.size else 0.0
    converged: NDArray[np.float64] = values[np.abs(values) <= limit]
    return converged


def _values_from(first_x: np.float32, x: Floats, y: Floats) -> NDArray[np.float64]:
    values: NDArray[np.float64] = y[x >= first_x].astype(float)
    return values


def _out_of_range(data: CurveData, axis: Mapping[str, Any]) -> list[str]:
    """The labels of the lines that end outside the range of the y axis."""
    if "autorangeoptions" not in axis:
        return []
    low, high = (axis["autorangeoptions"][end] for end in ("minallowed", "maxallowed"))
    ends = {label: float(y[-1]) for label, points in data.lines.items() if (y := points.mean[1]).size}
    return [label for label, end in ends.items() if not low <= end <= high]


def _out_of_range_remarks(labels: Sequence[str]) -> list[str]:
    if not labels:
        return []
    return [f"{labels[0]} is off the chart" if len(labels) == 1 else f"{len(labels)} networks are off the chart"]
