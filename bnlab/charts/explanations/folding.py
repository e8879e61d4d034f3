"""Batch normalization folded into the Dense layer next to it: the outputs of both ways."""

from functools import reduce
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import Floats
from bnlab.charts.explanations.layers import draw_dense, draw_normalization, fold_into_previous, merge
from bnlab.charts.explanations.layout import BLUE, ORANGE, still_layout, titled
from bnlab.charts.style import message_figure, plain_figure

EXAMPLES = 6
WIDTHS = (8, 6, 4)


def linear_network_difference(seed: int = 0) -> float:
    """The largest |difference| between Dense → BN → Dense → BN → Dense, without activations, and one Dense."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(EXAMPLES, WIDTHS[0]))
    hidden = [(draw_dense(rng, a, b), draw_normalization(rng, b)) for a, b in pairwise(WIDTHS)]
    last = draw_dense(rng, WIDTHS[-1])
    deep = x
    for dense, normalization in hidden:
        deep = normalization(dense(deep))
    single = reduce(merge, [*(fold_into_previous(*layers) for layers in hidden), last])
    return float(np.abs(last(deep) - single(x)).max())


def folding_frame(two_layers: Floats, folded: Floats) -> pd.DataFrame:
    """Columns example (from 1), unit (from 1), two_layers, folded: outputs `[examples, units]` of both ways."""
    examples, units = two_layers.shape
    return pd.DataFrame(
        {
            "example": np.repeat(np.arange(1, examples + 1), units),
            "unit": np.tile(np.arange(1, units + 1), examples),
            "two_layers": two_layers.ravel(),
            "folded": folded.ravel(),
        }
    )


def folding_figure(frame: pd.DataFrame) -> go.Figure:
    """Rings for the two layers' outputs, crosses for the folded layer's."""
    if frame.empty:
        return message_figure("", "No examples")
    names = [f"example {e}, unit {u}" for e, u in zip(frame["example"], frame["unit"], strict=True)]
    looks = {
        "two_layers": ("two layers", {"symbol": "circle-open", "size": 20, "color": BLUE, "line": {"width": 3}}),
        "folded": ("one folded layer", {"symbol": "x-thin", "size": 11, "line": {"width": 3, "color": ORANGE}}),
    }
    place = frame["example"] + 0.24 * (frame["unit"] - frame["unit"].mean())
    traces = [
        {
            "type": "scatter",
            "uid": column,
            "name": name,
            "x": place.to_numpy(),
            "y": frame[column].to_numpy(),
            "text": names,
            "mode": "markers",
            "marker": marker,
            "hovertemplate": "%{text}: %{y:.6f}",
        }
        for column, (name, marker) in looks.items()
    ]
    return plain_figure(traces, still_layout(titled("example", dtick=1), titled("output")))


def folding_difference(frame: pd.DataFrame) -> float:
    """The largest |difference| between the two ways; 0 where there is nothing to compare."""
    return float((frame["two_layers"] - frame["folded"]).abs().max()) if len(frame) else 0.0


def folding_alt(frame: pd.DataFrame) -> str:
    """How far the two ways are apart."""
    return (
        f"Over {len(frame)} outputs, two layers and one folded layer differ by at most {folding_difference(frame):.1e}."
    )
