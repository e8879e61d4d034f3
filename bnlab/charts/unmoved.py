"""Why some of a batch-normalization layer's values stay where they started, which looks like a chart that is broken."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.normalization import INITIAL, VARIABLES, unit_values
from bnlab.charts.style import message_figure
from bnlab.spec.network import Network

ROUNDING = 1e-6
"""What float32 leaves of a gradient that is zero, over a whole training, is less than this."""
_BETA = (
    "beta stays at 0: {next} follows the Dense layer directly and subtracts the mean. Whatever beta adds cancels out "
    "there, so it gets no gradient."
)
_MEAN = (
    "the moving mean stays at 0: {previous} makes the mean of every value 0, and a Dense layer without an activation "
    "leaves it at 0."
)
_GAMMA = "there gamma multiplies a 0, gets no gradient and stays at 1, and "
_PIXELS = (
    "{dark} of the {units} pixels have been 0 in every training image so far: {gamma}the moving variance falls from 1 "
    "towards 0."
)


def without_rounding(snapshots: pd.DataFrame) -> pd.DataFrame:
    """`snapshots` with each variable that has never moved by more than rounding exactly where it started.

    A chart would magnify what rounding leaves until it looks as if something had been learned. Columns step, variable,
    values (arrays), as `bnlab.runs.frames.snapshots_frame` makes it.
    """
    still = [name for name in INITIAL if _is_still(unit_values(snapshots, name)[1], name)]
    if not still:
        return snapshots
    settled = [
        np.full_like(values, INITIAL[variable]) if variable in still else values
        for variable, values in zip(snapshots["variable"], snapshots["values"], strict=True)
    ]
    return snapshots.assign(values=settled)


def unmoved_figure(variable: str, values: NDArray[np.float32]) -> go.Figure | None:
    """What to say in place of an empty picture, where all `values` of a variable are where they started."""
    start = INITIAL[variable]
    if values.size == 0 or (values != start).any():
        return None
    return message_figure(VARIABLES[variable], f"All are at {start:g}, where they started")


def unmoved_words(snapshots: pd.DataFrame, network: Network, layer: str) -> list[str]:
    """A sentence for each variable of `layer` that has not moved although the run has, as far as the network tells why.

    `snapshots` as for `without_rounding`; `layer` is the name of one of the network's normalizations.
    """
    if snapshots.empty or snapshots["step"].max() == 0:
        return []
    following = _directly_following(network)
    preceding = {after: before for before, after in following.items()}
    words = []
    if layer == "bn_input" and len(network.input_shape) == 2 and network.layers[0].keras_class == "Flatten":
        words += _of_dark_pixels(snapshots)
    if layer in following and _is_still(unit_values(snapshots, "beta")[1], "beta"):
        words.append(_BETA.format(next=following[layer]))
    if layer in preceding and _is_still(unit_values(snapshots, "moving_mean")[1], "moving_mean"):
        words.append(_MEAN.format(previous=preceding[layer]))
    return words


def _is_still(values: NDArray[np.float32], variable: str) -> bool:
    return bool(values.size) and bool(np.isfinite(values).all() and np.abs(values - INITIAL[variable]).max() < ROUNDING)


def _directly_following(network: Network) -> dict[str, str]:
    """Each normalization from which only a Dense layer leads to another, with that one."""
    only_dense = ["BatchNormalization", "Dense", "BatchNormalization"]
    threes = [network.layers[place : place + 3] for place in range(len(network.layers))]
    return {own[0].name: own[2].name for own in threes if [layer.keras_class for layer in own] == only_dense}


def _of_dark_pixels(snapshots: pd.DataFrame) -> list[str]:
    """A pixel's moving mean leaves 0 as soon as one image is not black there, and never quite comes back."""
    means = unit_values(snapshots, "moving_mean")[1]
    dark = int((means == 0).all(axis=0).sum())
    if not dark:
        return []
    gamma = _GAMMA if (snapshots["variable"] == "gamma").any() else ""
    return [_PIXELS.format(dark=dark, units=means.shape[1], gamma=gamma)]
