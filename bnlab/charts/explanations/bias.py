"""Whether a bias in front of batch normalization changes anything."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import Floats, normalize_batch
from bnlab.charts.explanations.layout import BLUE, ORANGE, dashed_line, still_layout, titled
from bnlab.charts.explanations.placement import FUNCTIONS
from bnlab.charts.style import message_figure, plain_figure

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
    layout = still_layout(
        titled("bias added to every unit"), titled("largest change of the output"), shapes=[dashed_line(bias)]
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
