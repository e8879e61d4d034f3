"""A hidden layer's values by the placement of normalization, and whether a bias matters there."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import Floats, normalize_batch
from bnlab.charts.explanations.layout import BLUE, GREEN, GREY, ORANGE, dashed_line, static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import format_fixed
from bnlab.specs.choices import ACTIVATIONS

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
    layout = static_layout(titled_axis("value", anchor=_axis(len(stages))), {}, bargap=0, showlegend=False)
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
    words = f"<b>{title}</b>  mean {format_fixed(own['mean'].iloc[0])}, std {format_fixed(own['std'].iloc[0])}"
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
        f"after {_title(str(stage), activation)} mean {format_fixed(mean)}, standard deviation {format_fixed(std)}"
        for stage, mean, std in zip(firsts["stage"], firsts["mean"], firsts["std"], strict=True)
    ]
    return f"Values of a random layer: {'; '.join(words)}."


BIASES = np.linspace(-3, 3, 61)


def bias_frame(dense: Floats, activation: str, biases: Floats = BIASES) -> pd.DataFrame:
    """Columns bias, before, after: the largest change of the layer's output when the bias is added to `dense`.

    before: Dense → BN → activation; after: Dense → activation → BN. `dense` has the shape `[examples, units]`.
    """
    function = FUNCTIONS[activation]

    def before(values: Floats) -> Floats:
        return function(normalize_batch(values))

    def after(values: Floats) -> Floats:
        return normalize_batch(function(values))

    orders = {"before": before, "after": after}
    columns = {
        name: [float(np.abs(order(dense + bias) - order(dense)).max()) for bias in biases]
        for name, order in orders.items()
    }
    return pd.DataFrame({"bias": biases, **columns})


def bias_figure(frame: pd.DataFrame, bias: float) -> go.Figure:
    """The largest change over the bias, a line for each order of BN and activation; `bias` is marked."""
    if frame.empty:
        return message_figure("", "No bias")
    layout = static_layout(
        titled_axis("bias added to every unit"), titled_axis("largest change of the output"), shapes=[dashed_line(bias)]
    )
    after = _line(frame, "after", "Dense → activation → BN", {"color": ORANGE, "width": 3, "dash": "dash"})
    before = _line(frame, "before", "Dense → BN → activation", {"color": BLUE, "width": 4})
    return plain_figure([after, before], layout)


def _line(frame: pd.DataFrame, column: str, name: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": column,
        "name": name,
        "x": frame["bias"].to_numpy(),
        "y": frame[column].to_numpy(),
        "mode": "lines",
        "line": line,
        "hovertemplate": "%{y:.3g}",
    }


def bias_alt(frame: pd.DataFrame) -> str:
    """The largest change of all, in either order."""
    if frame.empty:
        return "No bias."
    before, after = frame["before"].max(), frame["after"].max()
    return (
        f"A bias changes the output by at most {before:.1e} where BN follows the Dense layer, "
        f"and by up to {after:.2g} where the activation stands between."
    )
