"""The depth X-ray: six quantities through the hidden layers, after chosen steps of training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.figures import log_axis
from bnlab.charts.style import Style

MAX_TICKS = 12
MIN_OPACITY = 0.4


@dataclass(frozen=True)
class Mark:
    """What marks a step's points: plotly's name of it, and the sign that a legend shows."""

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
    """One of the charts: its title, whether it spans powers of ten (or is a share), and what zeros everywhere mean.

    `first` is the first hidden layer that can have it.
    """

    title: str
    is_log: bool
    nothing: str
    first: int = 1

    @property
    def number(self) -> str:
        """How its values are written."""
        return ".3g" if self.is_log else ".1%"


QUANTITIES: dict[str, Quantity] = {
    "gradient_norm": Quantity("Gradient norm", True, "No gradient reaches any layer"),
    "activation_variance": Quantity("Variance of the activations", True, "The activations do not vary at all"),
    "dead": Quantity("Dead units", False, "No dead units"),
    "saturated": Quantity("Saturated outputs", False, "No saturated outputs"),
    "shift": Quantity("Covariate shift of the gradient", True, "No gradient is shifted", first=2),
    "turn": Quantity("Turn of the gradient, 1 − cosine", True, "No gradient is turned", first=2),
}
"""By the measure's name in `bnlab.runs.diagnostics.PROFILE_COLUMNS`."""


def profile_frame(measured: Sequence[pd.DataFrame], quantity: str) -> pd.DataFrame:
    """Columns step, depth (from 1), value, in this order; `measured` as `measure_depth_profile`'s."""
    columns = ["step", "depth", quantity]
    rows = pd.concat([frame[columns] for frame in measured]) if measured else pd.DataFrame(columns=columns)
    rows = rows[rows["depth"] >= QUANTITIES[quantity].first]
    ordered = rows.rename(columns={quantity: "value"}).sort_values(["step", "depth"], ignore_index=True)
    return ordered.astype({"value": float})


def step_marks(steps: Sequence[int]) -> dict[int, Mark]:
    """A mark for each step, in order."""
    return {step: MARKS[place % len(MARKS)] for place, step in enumerate(steps)}


def after_steps_text(step: int) -> str:
    """When that is: `at the start`, `after 1 step`, `after 1,000 steps`."""
    return f"after {step:,} step{'' if step == 1 else 's'}" if step else "at the start"


def profile_figure(
    frames: Mapping[str, pd.DataFrame], quantity: str, styles: Mapping[str, Style], steps: Sequence[int]
) -> go.Figure:
    """A line for each network and step over the hidden layers: the network's colour and dash, stronger by the step."""
    own = QUANTITIES[quantity]
    if message := _message(frames, own):
        return message_figure(own.title, message)
    drawn = {run: frame[_drawable(frame, own)] for run, frame in frames.items()}
    deepest = int(max(frame["depth"].max() for frame in drawn.values() if len(frame)))
    layout = {
        "title": {"text": own.title},
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"l": 56, "r": 8, "t": 40, "b": 8},
        "xaxis": {
            "title": {"text": "hidden layer, from the input on"},
            "tick0": 1,
            "dtick": max(1, math.ceil(deepest / MAX_TICKS)),
            "range": [0.8, deepest + 0.2],
        },
        "yaxis": log_axis(pd.concat(drawn.values())["value"].to_numpy(float))
        if own.is_log
        else {"tickformat": ".0%", "rangemode": "tozero"},
    }
    traces = [
        _line(run, styles[run], step, frame[frame["step"] == step], own, tuple(steps))
        for run, frame in drawn.items()
        for step in frame["step"].unique().tolist()
    ]
    return plain_figure(traces, layout)


def profile_alt(frames: Mapping[str, pd.DataFrame], quantity: str, styles: Mapping[str, Style]) -> str:
    """Each network's value in the first and the last hidden layer at each step, in a sentence."""
    own = QUANTITIES[quantity]
    if message := _message(frames, own):
        return f"{own.title}: {message}."
    words = [f"{styles[run].name} {_told(frame, own)}" for run, frame in frames.items() if len(frame)]
    return f"{own.title} from the first hidden layer to the last: {'; '.join(words)}."


def gap_text(frames: Mapping[str, pd.DataFrame], quantity: str, styles: Mapping[str, Style]) -> str:
    """Of which networks, after which steps, something is not drawn; nothing where a message says it all."""
    own = QUANTITIES[quantity]
    if _message(frames, own):
        return ""
    told = []
    for run, frame in ((run, frame) for run, frame in frames.items() if len(frame)):
        steps = frame.loc[~_drawable(frame, own), "step"].unique().tolist()
        told += [f"{styles[run].name} {' and '.join(map(after_steps_text, steps))}"] if steps else []
    why = "0 or no number" if own.is_log else "no number"
    return f"Not drawn where it is {why}: {'; '.join(told)}." if told else ""


def _drawable(frame: pd.DataFrame, quantity: Quantity) -> "pd.Series[bool]":
    """A logarithm has no place for zero, nor any axis for what has overflowed."""
    return frame["value"].between(0, math.inf, inclusive="neither" if quantity.is_log else "left")


def _message(frames: Mapping[str, pd.DataFrame], quantity: Quantity) -> str:
    """What there is to say where no line would say anything."""
    measured = [frame for frame in frames.values() if len(frame)]
    if not measured:
        return "Not measured yet"
    values = pd.concat(measured)
    if not np.isfinite(values["value"]).any():
        return "No numbers: the training diverged"
    return "" if values.loc[_drawable(values, quantity), "value"].any() else quantity.nothing


def _line(
    run: str, style: Style, step: int, frame: pd.DataFrame, quantity: Quantity, steps: tuple[int, ...]
) -> dict[str, Any]:
    place = steps.index(step)
    return {
        "type": "scatter",
        "uid": f"{run}-{step}",
        "name": f"{style.name}, {after_steps_text(step)}",
        "x": frame["depth"].to_numpy(np.float32),
        "y": frame["value"].to_numpy(np.float32),
        "mode": "lines+markers",
        "opacity": 1 - (1 - MIN_OPACITY) * (len(steps) - 1 - place) / max(len(steps) - 1, 1),
        "line": style.line(2),
        "marker": {"size": 8, "symbol": step_marks(steps)[step].symbol},
        "hovertemplate": f"%{{fullData.name}}, layer %{{x}}: %{{y:{quantity.number}}}<extra></extra>",
    }


def _told(frame: pd.DataFrame, quantity: Quantity) -> str:
    told = []
    for step in frame["step"].unique().tolist():
        values = frame.loc[frame["step"] == step, "value"]
        ends = [values.iloc[end] for end in (0, -1)]
        said = " to ".join(format(end, quantity.number) for end in ends) if np.isfinite(ends).all() else "no numbers"
        told.append(f"{said} {after_steps_text(step)}")
    return ", ".join(told)
