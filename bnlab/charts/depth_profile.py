"""The depth profile: six quantities through the hidden layers, after chosen steps of training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.figures import initial_range, log_axis, message_figure, plain_figure, raise_zeros, zero_level
from bnlab.charts.style import Style

MAX_TICKS = 12
MIN_OPACITY = 0.4  # of the earliest step


@dataclass(frozen=True)
class Mark:
    """The marker of a step's points: plotly's symbol, and the same as a character for a legend."""

    symbol: str
    sign: str


MARKS = (
    Mark("circle", "●"),
    Mark("square", "■"),
    Mark("diamond", "◆"),
    Mark("triangle-up", "▲"),
    Mark("star", "★"),
)


@dataclass(frozen=True)
class Quantity:
    """One of the charts.

    Attributes:
        title: the chart's title.
        is_log: whether it spans powers of ten; otherwise it is a share.
        all_zero_message: shown in place of the chart when all values are zero.
        first: the first hidden layer (from 1) that has a value.
    """

    title: str
    is_log: bool
    all_zero_message: str
    first: int = 1

    @property
    def value_format(self) -> str:
        """The format of its values."""
        return ".3g" if self.is_log else ".1%"


QUANTITIES: dict[str, Quantity] = {
    "gradient_norm": Quantity("Gradient norm", True, "No gradient reaches any layer"),
    "activation_variance": Quantity("Variance of the activations", True, "The activations do not vary at all"),
    "dead": Quantity("Dead units", False, "No dead units"),
    "saturated": Quantity("Saturated outputs", False, "No saturated outputs"),
    "shift": Quantity("Covariate shift of the gradient", True, "No gradient is shifted", first=2),
    "turn": Quantity("Change in gradient direction, 1 − cosine", True, "No gradient changes its direction", first=2),
}
"""By the names in `bnlab.runs.diagnostics.PROFILE_COLUMNS`."""


def step_marks(steps: Sequence[int]) -> dict[int, Mark]:
    """A mark for each step, in order; they repeat."""
    return {step: MARKS[index % len(MARKS)] for index, step in enumerate(steps)}


def after_steps_text(step: int) -> str:
    """A step as an adverbial: `at the start`, `after 1 step`, `after 1,000 steps`."""
    return f"after {step:,} step{'' if step == 1 else 's'}" if step else "at the start"


def profile_frame(measured: Sequence[pd.DataFrame], quantity: str) -> pd.DataFrame:
    """Columns step, depth (from 1), value, sorted by step and depth; `measured` as `measure_depth_profile` returns."""
    columns = ["step", "depth", quantity]
    rows = pd.concat([frame[columns] for frame in measured]) if measured else pd.DataFrame(columns=columns)
    rows = rows[rows["depth"] >= QUANTITIES[quantity].first]
    ordered = rows.rename(columns={quantity: "value"}).sort_values(["step", "depth"], ignore_index=True)
    return ordered.astype({"value": float})


def profile_figure(
    frames: Mapping[str, pd.DataFrame], quantity: str, styles: Mapping[str, Style], steps: Sequence[int]
) -> go.Figure:
    """A line over the hidden layers for each network and step, in the network's style; later steps are more opaque."""
    chart = QUANTITIES[quantity]
    if message := _empty_message(frames, chart):
        return message_figure(chart.title, message)
    drawn = {run: frame[_is_drawable(frame)] for run, frame in frames.items() if len(frame)}
    deepest = int(max(frame["depth"].max() for frame in drawn.values()))
    values = pd.concat(drawn.values())["value"].to_numpy(float)
    level = zero_level(values) if chart.is_log else 0.0
    layout = {
        "title": {"text": chart.title},
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"l": 56, "r": 8, "t": 40, "b": 8},
        "xaxis": {
            "title": {"text": "hidden layer (1 = nearest to the input)"},
            "tick0": 1,
            "dtick": max(1, math.ceil(deepest / MAX_TICKS)),
            **initial_range(0.8, deepest + 0.2),
        },
        "yaxis": log_axis(raise_zeros(values, level)) if chart.is_log else {"tickformat": ".0%", "rangemode": "tozero"},
    }
    traces = [
        _line_trace(run, styles[run], step, frame[frame["step"] == step], chart, tuple(steps), level)
        for run, frame in drawn.items()
        for step in frame["step"].unique().tolist()
    ]
    return plain_figure(traces, layout)


def profile_alt(frames: Mapping[str, pd.DataFrame], quantity: str, styles: Mapping[str, Style]) -> str:
    """Each network's values in the first and the last hidden layer at each step, in a sentence."""
    chart = QUANTITIES[quantity]
    if message := _empty_message(frames, chart):
        return f"{chart.title}: {message}."
    parts = [f"{styles[run].name} {_ends_text(frame, chart)}" for run, frame in frames.items() if len(frame)]
    return f"{chart.title} from the first hidden layer to the last: {'; '.join(parts)}."


def gap_text(frames: Mapping[str, pd.DataFrame], quantity: str, styles: Mapping[str, Style]) -> str:
    """Names the networks and steps with zeros at the edge of a logarithmic axis, and with values that are not drawn.

    Empty if there are none or nothing is drawn.
    """
    chart = QUANTITIES[quantity]
    if _empty_message(frames, chart):
        return ""
    measured = {run: frame for run, frame in frames.items() if len(frame)}
    zeros = {run: frame[frame["value"] == 0] for run, frame in measured.items()} if chart.is_log else {}
    gaps = {run: frame[~_is_drawable(frame)] for run, frame in measured.items()}
    parts = {
        "At the lower edge where it is 0": _steps_texts(zeros, styles),
        "Not drawn where it is not finite": _steps_texts(gaps, styles),
    }
    return " ".join(f"{title}: {'; '.join(texts)}." for title, texts in parts.items() if texts)


def _steps_texts(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> list[str]:
    """The name and the steps of each network that has rows."""
    return [
        f"{styles[run].name} {' and '.join(map(after_steps_text, frame['step'].unique().tolist()))}"
        for run, frame in frames.items()
        if len(frame)
    ]


def _is_drawable(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Whether each value is finite."""
    return frame["value"].between(0, math.inf, inclusive="left")


def _empty_message(frames: Mapping[str, pd.DataFrame], quantity: Quantity) -> str:
    """The reason why the chart has no line; empty if it has one."""
    measured = [frame for frame in frames.values() if len(frame)]
    if not measured:
        return "Not measured yet"
    values = pd.concat(measured)
    if not np.isfinite(values["value"]).any():
        return "Not finite: the training diverged"
    return "" if values.loc[_is_drawable(values), "value"].any() else quantity.all_zero_message


def _line_trace(
    run: str,
    style: Style,
    step: int,
    frame: pd.DataFrame,
    quantity: Quantity,
    steps: tuple[int, ...],
    level: float,
) -> dict[str, Any]:
    steps_later = len(steps) - 1 - steps.index(step)
    values = frame["value"].to_numpy(np.float32)
    return {
        "type": "scatter",
        "uid": f"{run}-{step}",
        "name": f"{style.trace_name}, {after_steps_text(step)}",
        "x": frame["depth"].to_numpy(np.float32),
        "y": raise_zeros(values, level),
        "customdata": values,
        "mode": "lines+markers",
        "opacity": 1 - (1 - MIN_OPACITY) * steps_later / max(len(steps) - 1, 1),
        "line": style.line(2),
        "marker": {"size": 8, "symbol": step_marks(steps)[step].symbol},
        "hovertemplate": f"%{{fullData.name}}, layer %{{x}}: %{{customdata:{quantity.value_format}}}<extra></extra>",
    }


def _ends_text(frame: pd.DataFrame, quantity: Quantity) -> str:
    """A network's values in the first and the last layer at each step."""
    parts = []
    for step in frame["step"].unique().tolist():
        values = frame.loc[frame["step"] == step, "value"]
        ends = [values.iloc[index] for index in (0, -1)]
        text = (
            " to ".join(format(end, quantity.value_format) for end in ends) if np.isfinite(ends).all() else "not finite"
        )
        parts.append(f"{text} {after_steps_text(step)}")
    return ", ".join(parts)
