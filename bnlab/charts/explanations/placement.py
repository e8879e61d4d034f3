"""What one hidden layer's values look like, by where batch normalization stands."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import Floats, normalize_batch
from bnlab.charts.explanations.layout import BLUE, GREEN, GREY, ORANGE, still_layout, titled
from bnlab.charts.numbers import fixed
from bnlab.charts.style import message_figure, plain_figure
from bnlab.spec.choices import ACTIVATIONS

EXAMPLES, INPUTS, UNITS = 500, 60, 40
BINS = 61
HIGHEST = 2.5
# Those of bnlab's activations that fit in a line of NumPy each.
FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z < 0, 0.3 * z, z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "linear": lambda z: z,
}
COLUMNS = ("stage", "value", "share", "mean", "std")
STAGE_COLOURS = {"Dense": GREY, "BN": BLUE, "activation": ORANGE, "input": GREEN}


def dense_values(size: float = 1.0, seed: int = 0) -> Floats:
    """`[500, 40]`: a random Dense layer's values for inputs between 0 and 1, its He-normal kernel times `size`."""
    rng = np.random.default_rng(seed)
    kernel = size * np.sqrt(2 / INPUTS) * rng.standard_normal((INPUTS, UNITS))
    values: Floats = rng.random((EXAMPLES, INPUTS)) @ kernel
    return values


def stage_values(placement: str, activation: str, dense: Floats) -> dict[str, Floats]:
    """The values after each part of a hidden layer, in order; `placement` is a key of `PLACEMENTS`."""
    parts: dict[str, tuple[tuple[str, Callable[[Floats], Floats]], ...]] = {
        "none": (("activation", FUNCTIONS[activation]),),
        "before_activation": (("BN", normalize_batch), ("activation", FUNCTIONS[activation])),
        "after_activation": (("activation", FUNCTIONS[activation]), ("BN", normalize_batch)),
    }
    stages = {"Dense": dense}
    values = dense
    for name, part in parts[placement]:
        values = part(values)
        stages[name] = values
    return stages


def stages_frame(stages: dict[str, Floats]) -> pd.DataFrame:
    """Columns stage, value (middle of a bin), share, mean, std: a histogram of each stage, all over the same bins."""
    widest = max((float(np.abs(values).max()) for values in stages.values()), default=1.0) or 1.0
    edges = np.linspace(-widest, widest, BINS + 1)
    frames = [
        pd.DataFrame(
            {
                "stage": name,
                "value": (edges[:-1] + edges[1:]) / 2,
                "share": np.histogram(values, edges)[0] / values.size,
                "mean": values.mean(),
                "std": values.std(),
            }
        )
        for name, values in stages.items()
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def stages_figure(frame: pd.DataFrame, activation: str) -> go.Figure:
    """The stages' histograms from top to bottom, over one axis."""
    stages = list(dict.fromkeys(frame["stage"]))
    if not stages:
        return message_figure("", "No layer")
    layout = still_layout(titled("value", anchor=_axis(len(stages))), {}, bargap=0, showlegend=False)
    layout["annotations"] = []
    traces = []
    for place, stage in enumerate(stages, start=1):
        own = frame[frame["stage"] == stage]
        top = 1 - (place - 1) / len(stages)
        layout[_axis(place).replace("y", "yaxis")] = _row(own, top - 0.9 / len(stages), top - 0.2 / len(stages))
        layout["annotations"].append(_heading(own, _title(stage, activation), top))
        traces.append(_bars(own, stage, place))
    return plain_figure(traces, layout)


def _title(stage: str, activation: str) -> str:
    return ACTIVATIONS[activation].title if stage == "activation" else stage


def _axis(place: int) -> str:
    return f"y{place}" if place > 1 else "y"


def _row(own: pd.DataFrame, bottom: float, top: float) -> dict[str, Any]:
    """A stage's axis. A column far above all others is cut off, or they would not be seen beside it."""
    *_, second, first = sorted(own["share"])
    height = min(first, HIGHEST * second) if second else first
    bare = {"showticklabels": False, "showgrid": False, "fixedrange": True}
    return {"domain": [max(bottom, 0), top], "range": [0, 1.05 * height], **bare}


def _heading(own: pd.DataFrame, title: str, top: float) -> dict[str, Any]:
    words = f"<b>{title}</b>  mean {fixed(own['mean'].iloc[0])}, std {fixed(own['std'].iloc[0])}"
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "top"}
    return {"text": words, "showarrow": False, **place}


def _bars(own: pd.DataFrame, stage: str, place: int) -> dict[str, Any]:
    return {
        "type": "bar",
        "uid": stage,
        "name": stage,
        "x": own["value"].to_numpy(),
        "y": own["share"].to_numpy(),
        "yaxis": _axis(place),
        "marker": {"color": STAGE_COLOURS[stage]},
        "hovertemplate": "%{x:.2f}: %{y:.1%}<extra></extra>",
    }


def stages_alt(frame: pd.DataFrame, activation: str) -> str:
    """Mean and standard deviation after each part."""
    if frame.empty:
        return "No layer."
    firsts = frame.drop_duplicates("stage")
    words = [
        f"after {_title(str(stage), activation)} mean {fixed(mean)}, standard deviation {fixed(std)}"
        for stage, mean, std in zip(firsts["stage"], firsts["mean"], firsts["std"], strict=True)
    ]
    return f"Values of a random layer: {'; '.join(words)}."
