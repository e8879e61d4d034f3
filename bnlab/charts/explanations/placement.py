"""A hidden layer's values by the placement of normalization, and the effect of a bias there."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import Floats, normalize_batch
from bnlab.charts.explanations.layout import dashed_line, line_trace, static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.formatting import format_fixed
from bnlab.charts.style import BLUE, GREEN, GREY, VERMILLION
from bnlab.specs.choices import ACTIVATIONS

EXAMPLES, INPUTS, UNITS = 500, 60, 40
BINS = 61
MAX_BAR_RATIO = 2.5  # of the highest bar to the second highest; above it is cut off
COLUMNS = ("stage", "value", "share", "mean", "std")
STAGE_COLORS = {"Dense": GREY, "BN": BLUE, "activation": VERMILLION, "input": GREEN}
BIASES = np.linspace(-3, 3, 61)
# The activations of bnlab that need only one line of NumPy.
FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z < 0, 0.3 * z, z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def dense_values(size: float = 1.0, seed: int = 0) -> Floats:
    """`[500, 40]`: a Dense layer's values for random inputs in [0, 1); its He-normal kernel is scaled by `size`."""
    rng = np.random.default_rng(seed)
    kernel = size * np.sqrt(2 / INPUTS) * rng.standard_normal((INPUTS, UNITS))
    values: Floats = rng.random((EXAMPLES, INPUTS)) @ kernel
    return values


def stage_values(placement: str, activation: str, dense: Floats) -> dict[str, Floats]:
    """The values after each stage of a hidden layer, in order; `placement` is a key of `PLACEMENTS`."""
    stages_by_placement: dict[str, tuple[tuple[str, Callable[[Floats], Floats]], ...]] = {
        "none": (("activation", FUNCTIONS[activation]),),
        "before_activation": (("BN", normalize_batch), ("activation", FUNCTIONS[activation])),
        "after_activation": (("activation", FUNCTIONS[activation]), ("BN", normalize_batch)),
    }
    stages = {"Dense": dense}
    values = dense
    for name, function in stages_by_placement[placement]:
        values = function(values)
        stages[name] = values
    return stages


def stages_frame(stages: dict[str, Floats]) -> pd.DataFrame:
    """Columns stage, value (middle of a bin), share, mean, std: a histogram of each stage; all have the same bins."""
    reach = max((float(np.abs(values).max()) for values in stages.values()), default=1.0) or 1.0
    edges = np.linspace(-reach, reach, BINS + 1)
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
    """The stages' histograms from top to bottom, over a common x axis."""
    stages = list(dict.fromkeys(frame["stage"]))
    if not stages:
        return message_figure("", "No layer")
    layout = static_layout(titled_axis("value", anchor=_axis_name(len(stages))), {}, bargap=0, showlegend=False)
    layout["annotations"] = []
    traces = []
    for number, stage in enumerate(stages, start=1):
        bins = frame[frame["stage"] == stage]
        top = 1 - (number - 1) / len(stages)
        axis = _stage_axis(bins, top - 0.9 / len(stages), top - 0.2 / len(stages))
        layout[_axis_name(number).replace("y", "yaxis")] = axis
        layout["annotations"].append(_heading(bins, _stage_title(stage, activation), top))
        traces.append(_bar_trace(bins, stage, number))
    return plain_figure(traces, layout)


def _stage_title(stage: str, activation: str) -> str:
    return ACTIVATIONS[activation].title if stage == "activation" else stage


def _axis_name(number: int) -> str:
    """Plotly's name of the y axis with this number, from 1."""
    return f"y{number}" if number > 1 else "y"


def _stage_axis(bins: pd.DataFrame, bottom: float, top: float) -> dict[str, Any]:
    """A stage's y axis. A bar far above all others is cut off, so that the others stay visible."""
    *_, second, first = sorted(bins["share"])
    height = min(first, MAX_BAR_RATIO * second) if second else first
    plain = {"showticklabels": False, "showgrid": False, "fixedrange": True}
    return {"domain": [max(bottom, 0), top], "range": [0, 1.05 * height], **plain}


def _heading(bins: pd.DataFrame, title: str, top: float) -> dict[str, Any]:
    text = f"<b>{title}</b>  mean {format_fixed(bins['mean'].iloc[0])}, std {format_fixed(bins['std'].iloc[0])}"
    position = {"x": 0, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "top"}
    return {"text": text, "showarrow": False, **position}


def _bar_trace(bins: pd.DataFrame, stage: str, number: int) -> dict[str, Any]:
    return {
        "type": "bar",
        "uid": stage,
        "name": stage,
        "x": bins["value"].to_numpy(),
        "y": bins["share"].to_numpy(),
        "yaxis": _axis_name(number),
        "marker": {"color": STAGE_COLORS[stage]},
        "hovertemplate": "%{x:.2f}: %{y:.1%}<extra></extra>",
    }


def stages_alt(frame: pd.DataFrame, activation: str) -> str:
    """Mean and standard deviation after each stage, in a sentence."""
    if frame.empty:
        return "No layer."
    stages = frame.drop_duplicates("stage")
    parts = [
        f"after {_stage_title(str(stage), activation)} "
        f"mean {format_fixed(mean)}, standard deviation {format_fixed(std)}"
        for stage, mean, std in zip(stages["stage"], stages["mean"], stages["std"], strict=True)
    ]
    return f"Values of a random layer: {'; '.join(parts)}."


def bias_frame(dense: Floats, activation: str, biases: Floats = BIASES) -> pd.DataFrame:
    """Columns bias, before, after: the largest change of the layer's output when each bias is added to `dense`.

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
    """The largest change over the bias, one line for each order of BN and activation; `bias` is marked."""
    if frame.empty:
        return message_figure("", "No bias")
    layout = static_layout(
        titled_axis("bias added to every unit"), titled_axis("largest change of the output"), shapes=[dashed_line(bias)]
    )
    after_line, before_line = {"color": VERMILLION, "width": 3, "dash": "dash"}, {"color": BLUE, "width": 4}
    after = line_trace(frame, "bias", "after", "Dense → activation → BN", after_line, "%{y:.3g}")
    before = line_trace(frame, "bias", "before", "Dense → BN → activation", before_line, "%{y:.3g}")
    return plain_figure([after, before], layout)


def bias_alt(frame: pd.DataFrame) -> str:
    """The largest change for any bias, in either order."""
    if frame.empty:
        return "No bias."
    before, after = frame["before"].max(), frame["after"].max()
    return (
        f"A bias changes the output by at most {before:.1e} where BN follows the Dense layer, "
        f"and by up to {after:.2g} where the activation stands between."
    )
