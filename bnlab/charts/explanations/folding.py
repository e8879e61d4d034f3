"""Normalization folded into the Dense layer next to it: the outputs of both ways."""

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import EPSILON, Floats, normalize
from bnlab.charts.explanations.layout import BLUE, ORANGE, static_layout, titled_axis
from bnlab.charts.figures import message_figure, plain_figure

INPUTS, UNITS = 3, 2


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
        """What the layer multiplies each feature by: gamma / √(moving_variance + epsilon)."""
        return self.gamma / np.sqrt(self.moving_variance + self.epsilon)


def fold_into_previous(dense: Dense, normalization: Normalization) -> Dense:
    """The one layer that equals `normalization(dense(x))`. Source: Jacob et al. 2018."""
    factor = normalization.factor
    bias = (dense.bias - normalization.moving_mean) * factor + normalization.beta
    return Dense(dense.kernel * factor, bias)


def fold_into_next(normalization: Normalization, dense: Dense) -> Dense:
    """The one layer that equals `dense(normalization(x))`: BN on the input, or after an activation."""
    shift = normalization.beta - normalization.moving_mean * normalization.factor
    return Dense(dense.kernel * normalization.factor[:, None], dense.bias + shift @ dense.kernel)


def merge_dense(first: Dense, second: Dense) -> Dense:
    """The one layer that equals `second(first(x))`: without an activation between, two layers are one."""
    return Dense(first.kernel @ second.kernel, second(first.bias))


def random_dense(rng: np.random.Generator, inputs: int = INPUTS, units: int = UNITS) -> Dense:
    """Random numbers with one decimal, to be read on a page."""
    return Dense(rng.normal(0, 1, (inputs, units)).round(1), rng.normal(0, 1, units).round(1))


def random_normalization(rng: np.random.Generator, features: int) -> Normalization:
    """Random numbers with one decimal; the variances are positive."""
    gamma, variance = rng.uniform(0.5, 2, features).round(1), rng.uniform(0.2, 4, features).round(1)
    return Normalization(gamma, rng.normal(0, 1, features).round(1), rng.normal(0, 1, features).round(1), variance)


EXAMPLES = 6


WIDTHS = (8, 6, 4)


def linear_network_difference(seed: int = 0) -> float:
    """The largest |difference| between Dense → BN → Dense → BN → Dense, without activations, and one Dense."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(EXAMPLES, WIDTHS[0]))
    hidden = [(random_dense(rng, a, b), random_normalization(rng, b)) for a, b in pairwise(WIDTHS)]
    last = random_dense(rng, WIDTHS[-1])
    deep = x
    for dense, normalization in hidden:
        deep = normalization(dense(deep))
    single = reduce(merge_dense, [*(fold_into_previous(*layers) for layers in hidden), last])
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
    return plain_figure(traces, static_layout(titled_axis("example", dtick=1), titled_axis("output")))


def folding_difference(frame: pd.DataFrame) -> float:
    """The largest |difference| between the two ways; 0 where there is nothing to compare."""
    return float((frame["two_layers"] - frame["folded"]).abs().max()) if len(frame) else 0.0


def folding_alt(frame: pd.DataFrame) -> str:
    """How far the two ways are apart."""
    return (
        f"Over {len(frame)} outputs, two layers and one folded layer differ by at most {folding_difference(frame):.1e}."
    )
