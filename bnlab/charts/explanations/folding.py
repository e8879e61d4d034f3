"""Batch normalization folded into the neighbouring Dense layer, and the outputs before and after folding."""

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import EPSILON, Floats, normalize
from bnlab.charts.explanations.layout import static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.style import BLUE, VERMILLION

INPUTS, UNITS = 3, 2
EXAMPLES = 6
WIDTHS = (8, 6, 4)
"""Of the layers in `linear_network_difference`."""


@dataclass(frozen=True)
class Dense:
    """x · kernel + bias; `kernel` has the shape `[inputs, units]`, as Keras stores it, `bias` `[units]`."""

    kernel: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        """The layer's output `[batch, units]` for `x` `[batch, inputs]`."""
        return x @ self.kernel + self.bias


@dataclass(frozen=True)
class Normalization:
    """A batch-normalization layer in inference mode; each array has the shape `[features]`."""

    gamma: Floats
    beta: Floats
    moving_mean: Floats
    moving_variance: Floats
    epsilon: float = EPSILON

    def __call__(self, x: Floats) -> Floats:
        """`x` `[batch, features]`, normalized."""
        statistics = self.moving_mean, self.moving_variance
        return normalize(x, *statistics, gamma=self.gamma, beta=self.beta, epsilon=self.epsilon)

    @property
    def factor(self) -> Floats:
        """The factor of each feature: gamma / √(moving_variance + epsilon)."""
        return self.gamma / np.sqrt(self.moving_variance + self.epsilon)


def fold_into_previous(dense: Dense, normalization: Normalization) -> Dense:
    """The Dense layer equal to `normalization(dense(x))`. Source: Jacob et al. 2018."""
    factor = normalization.factor
    bias = (dense.bias - normalization.moving_mean) * factor + normalization.beta
    return Dense(dense.kernel * factor, bias)


def fold_into_next(normalization: Normalization, dense: Dense) -> Dense:
    """The Dense layer equal to `dense(normalization(x))`, for BN on the input or after an activation."""
    shift = normalization.beta - normalization.moving_mean * normalization.factor
    return Dense(dense.kernel * normalization.factor[:, None], dense.bias + shift @ dense.kernel)


def merge_dense(first: Dense, second: Dense) -> Dense:
    """The Dense layer equal to `second(first(x))`, without an activation between them."""
    return Dense(first.kernel @ second.kernel, second(first.bias))


def random_dense(rng: np.random.Generator, inputs: int = INPUTS, units: int = UNITS) -> Dense:
    """A Dense layer of random numbers with one decimal, short enough for a page."""
    return Dense(rng.normal(0, 1, (inputs, units)).round(1), rng.normal(0, 1, units).round(1))


def random_normalization(rng: np.random.Generator, features: int) -> Normalization:
    """A batch normalization of random numbers with one decimal; the variances are positive."""
    gamma, variance = rng.uniform(0.5, 2, features).round(1), rng.uniform(0.2, 4, features).round(1)
    return Normalization(gamma, rng.normal(0, 1, features).round(1), rng.normal(0, 1, features).round(1), variance)


def linear_network_difference(seed: int = 0) -> float:
    """The largest |difference| between Dense → BN → Dense → BN → Dense, without activations, and one Dense layer."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(EXAMPLES, WIDTHS[0]))
    hidden = [(random_dense(rng, a, b), random_normalization(rng, b)) for a, b in pairwise(WIDTHS)]
    last = random_dense(rng, WIDTHS[-1])
    values = x
    for dense, normalization in hidden:
        values = normalization(dense(values))
    merged = reduce(merge_dense, [*(fold_into_previous(*layers) for layers in hidden), last])
    return float(np.abs(last(values) - merged(x)).max())


def folding_frame(two_layers: Floats, folded: Floats) -> pd.DataFrame:
    """Columns example (from 1), unit (from 1), two_layers, folded; both arguments are outputs `[examples, units]`."""
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
    """Rings for the outputs of the two layers, crosses for those of the folded layer."""
    if frame.empty:
        return message_figure("", "No examples")
    names = [f"example {e}, unit {u}" for e, u in zip(frame["example"], frame["unit"], strict=True)]
    markers = {
        "two_layers": ("two layers", {"symbol": "circle-open", "size": 20, "color": BLUE, "line": {"width": 3}}),
        "folded": ("one folded layer", {"symbol": "x-thin", "size": 11, "line": {"width": 3, "color": VERMILLION}}),
    }
    x = frame["example"] + 0.24 * (frame["unit"] - frame["unit"].mean())
    traces = [
        {
            "type": "scatter",
            "uid": column,
            "name": name,
            "x": x.to_numpy(),
            "y": frame[column].to_numpy(),
            "text": names,
            "mode": "markers",
            "marker": marker,
            "hovertemplate": "%{text}: %{y:.6f}",
        }
        for column, (name, marker) in markers.items()
    ]
    return plain_figure(traces, static_layout(titled_axis("example", dtick=1), titled_axis("output")))


def folding_difference(frame: pd.DataFrame) -> float:
    """The largest |difference| between the outputs before and after folding; 0 without outputs."""
    return float((frame["two_layers"] - frame["folded"]).abs().max()) if len(frame) else 0.0


def folding_alt(frame: pd.DataFrame) -> str:
    """The number of outputs and their largest difference, in a sentence."""
    return (
        f"Over {len(frame)} outputs, two layers and one folded layer differ by at most {folding_difference(frame):.1e}."
    )
