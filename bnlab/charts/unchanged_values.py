"""Why some of a normalization layer's values stay where they started, which looks like a chart that is broken."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.distributions import INITIAL_VALUES, VARIABLE_TITLES, unit_values
from bnlab.charts.figures import message_figure
from bnlab.specs import normalizers
from bnlab.specs.network import Layer, Network
from bnlab.specs.normalizers import Role

MAX_ROUNDING_ERROR = 1e-6
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


def remove_rounding_errors(snapshots: pd.DataFrame) -> pd.DataFrame:
    """`snapshots` with each variable that has never moved by more than rounding exactly where it started.

    A chart would magnify what rounding leaves until it looks as if something had been learned. Columns step, variable,
    values (arrays), as `bnlab.runs.reader.snapshots_frame` makes it.
    """
    still = [name for name in INITIAL_VALUES if _is_still(unit_values(snapshots, name)[1], name)]
    if not still:
        return snapshots
    settled = [
        np.full_like(values, INITIAL_VALUES[variable]) if variable in still else values
        for variable, values in zip(snapshots["variable"], snapshots["values"], strict=True)
    ]
    return snapshots.assign(values=settled)


def unchanged_figure(variable: str, values: NDArray[np.float32]) -> go.Figure | None:
    """What to say in place of an empty picture, where all `values` of a variable are where they started."""
    start = INITIAL_VALUES[variable]
    if values.size == 0 or (values != start).any():
        return None
    return message_figure(VARIABLE_TITLES[variable], f"All are at {start:g}, where they started")


def unchanged_notes(snapshots: pd.DataFrame, network: Network, layer: str) -> list[str]:
    """A sentence for each variable of `layer` that has not moved although the run has, as far as the network tells why.

    `snapshots` as for `without_rounding`; `layer` is the name of one of the network's normalizations.
    """
    if snapshots.empty or snapshots["step"].max() == 0:
        return []
    following = _directly_following(network)
    preceding = {after: before for before, after in following.items()}
    words = []
    first = network.input_normalization
    flattened = len(network.input_shape) == 2 and network.layers[0].keras_class == "Flatten"
    if first is not None and layer == first.name and flattened:
        words += _of_dark_pixels(snapshots)
    if layer in following and _is_still_in_role(snapshots, "offset"):
        words.append(_BETA.format(next=following[layer]))
    if layer in preceding and _is_still_in_role(snapshots, "mean"):
        words.append(_MEAN.format(previous=preceding[layer]))
    return words


def _is_still(values: NDArray[np.float32], variable: str) -> bool:
    return bool(values.size) and bool(np.isfinite(values).all() and np.abs(values - INITIAL_VALUES[variable]).max() < MAX_ROUNDING_ERROR)


def _is_still_in_role(snapshots: pd.DataFrame, role: Role) -> bool:
    return any(_is_still(unit_values(snapshots, name)[1], name) for name in _names(role))


def _names(role: Role) -> list[str]:
    return [name for name, variable in normalizers.VARIABLES.items() if variable.role == role]


def _directly_following(network: Network) -> dict[str, str]:
    """Each normalization over the batch from which only a Dense layer leads to another, with that one."""
    threes = zip(network.layers, network.layers[1:], network.layers[2:], strict=False)
    return {
        first.name: last.name
        for first, between, last in threes
        if between.keras_class == "Dense" and _subtracts_batch_mean(first) and _subtracts_batch_mean(last)
    }


def _subtracts_batch_mean(layer: Layer) -> bool:
    return layer.normalizer is not None and layer.normalizer.uses_batch_statistics


def _of_dark_pixels(snapshots: pd.DataFrame) -> list[str]:
    """A pixel's moving mean leaves 0 as soon as one image is not black there, and never quite comes back."""
    recorded = set(snapshots["variable"])
    mean = next((name for name in _names("mean") if name in recorded), None)
    if mean is None:
        return []
    means = unit_values(snapshots, mean)[1]
    dark = int((means == 0).all(axis=0).sum())
    if not dark:
        return []
    gamma = _GAMMA if recorded.intersection(_names("factor")) else ""
    return [_PIXELS.format(dark=dark, units=means.shape[1], gamma=gamma)]
