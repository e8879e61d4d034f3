"""Normalization variables that keep their initial values: why they do, and messages for charts that would be empty."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.distributions import INITIAL_VALUES, VARIABLE_TITLES, unit_values
from bnlab.charts.figures import message_figure
from bnlab.specs import normalizers
from bnlab.specs.dataset_statistics import statistics_of
from bnlab.specs.network import Layer, Network, describe_network
from bnlab.specs.normalizers import Role
from bnlab.specs.run_spec import RunSpec

MAX_ROUNDING_ERROR = 1e-6
"""Above the float32 rounding errors of a zero gradient, summed over a whole training."""
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
    "{constant:,} of the {pixels:,} pixels are the same in all {examples:,} training images: {gamma}the moving "
    "variance falls from 1 towards 0. At inference they are now multiplied by up to {factor:,.0f}, which is 1/√(moving "
    "variance + ε)."
)


def remove_rounding_errors(snapshots: pd.DataFrame) -> pd.DataFrame:
    """`snapshots` with the exact initial values for each variable that has only changed by rounding errors.

    A chart would magnify rounding errors until they look like learning. Columns step, variable, values (arrays), as
    `bnlab.runs.reader.snapshots_frame` makes it.
    """
    unchanged = [name for name in INITIAL_VALUES if _is_unchanged(unit_values(snapshots, name)[1], name)]
    if not unchanged:
        return snapshots
    exact = [
        np.full_like(values, INITIAL_VALUES[variable]) if variable in unchanged else values
        for variable, values in zip(snapshots["variable"], snapshots["values"], strict=True)
    ]
    return snapshots.assign(values=exact)


def unchanged_figure(variable: str, values: NDArray[np.float32]) -> go.Figure | None:
    """A message in place of an empty picture if all `values` of a variable are the initial value; None otherwise."""
    initial = INITIAL_VALUES[variable]
    if values.size == 0 or (values != initial).any():
        return None
    return message_figure(VARIABLE_TITLES[variable], f"All are at {initial:g}, where they started")


def unchanged_notes(snapshots: pd.DataFrame, spec: RunSpec, layer: str) -> list[str]:
    """A sentence for each variable of `layer` whose values the network or the images keep unchanged during training.

    `snapshots` as for `remove_rounding_errors`; `layer` is the name of one of the normalizations of the spec's network.
    """
    if snapshots.empty or snapshots["step"].max() == 0:
        return []
    network = describe_network(spec)
    following = _directly_following(network)
    preceding = {after: before for before, after in following.items()}
    notes = []
    first = network.input_normalization
    if first is not None and layer == first.name and network.layers[0].keras_class == "Flatten":
        notes += _constant_pixel_notes(snapshots, spec, first.config["epsilon"])
    if layer in following and _is_role_unchanged(snapshots, "offset"):
        notes.append(_BETA.format(next=following[layer]))
    if layer in preceding and _is_role_unchanged(snapshots, "mean"):
        notes.append(_MEAN.format(previous=preceding[layer]))
    return notes


def _is_unchanged(values: NDArray[np.float32], variable: str) -> bool:
    if not values.size or not np.isfinite(values).all():
        return False
    return bool(np.abs(values - INITIAL_VALUES[variable]).max() < MAX_ROUNDING_ERROR)


def _is_role_unchanged(snapshots: pd.DataFrame, role: Role) -> bool:
    return any(_is_unchanged(unit_values(snapshots, name)[1], name) for name in _variables_with_role(role))


def _variables_with_role(role: Role) -> list[str]:
    return [name for name, variable in normalizers.VARIABLES.items() if variable.role == role]


def _directly_following(network: Network) -> dict[str, str]:
    """Maps each batch-statistics normalization to the next one, where only a Dense layer is between them."""
    triples = zip(network.layers, network.layers[1:], network.layers[2:], strict=False)
    return {
        first.name: last.name
        for first, between, last in triples
        if between.keras_class == "Dense" and _subtracts_batch_mean(first) and _subtracts_batch_mean(last)
    }


def _subtracts_batch_mean(layer: Layer) -> bool:
    return layer.normalizer is not None and layer.normalizer.uses_batch_statistics


def _constant_pixel_notes(snapshots: pd.DataFrame, spec: RunSpec, epsilon: float) -> list[str]:
    """A note on the pixels that are the same in all training images, whatever their value; none if they are not known.

    How many there are is known from the images, as for the advice before training: snapshots cannot tell a pixel whose
    last change has faded from one that never changed. Their moving variance is the smallest: any change adds to it.
    """
    statistics = statistics_of(spec.dataset)
    constant = statistics.constant_pixels(spec.examples) if statistics is not None else 0
    recorded = set(snapshots["variable"])
    variance = next((name for name in _variables_with_role("variance") if name in recorded), "")
    if statistics is None or not constant or not variance:
        return []
    smallest = float(unit_values(snapshots, variance)[1][-1].min())
    gammas = [unit_values(snapshots, name)[1] for name in _variables_with_role("factor") if name in recorded]
    has_gamma = any((np.abs(values - 1) < MAX_ROUNDING_ERROR).all(axis=0).sum() >= constant for values in gammas)
    return [
        _PIXELS.format(
            constant=constant,
            pixels=statistics.pixels,
            examples=spec.examples,
            gamma=_GAMMA if has_gamma else "",
            factor=(smallest + epsilon) ** -0.5,
        )
    ]
