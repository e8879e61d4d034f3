"""Percentiles of a layer's values over training, as bands around the median."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.figures import LayerChart, message_figure, plain_figure
from bnlab.charts.formatting import format_digits
from bnlab.charts.snapshots import EXPLODED_TEXT, evenly_spaced, exploded_runs
from bnlab.charts.style import Style
from bnlab.runs.reader import PERCENTILE_COLUMNS
from bnlab.specs import normalizers
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import PERCENTILES

MAX_POINTS = 150


FLAT = 0.11
"""What is shown above and below values that are all the same."""


MARGIN = 0.06


def row_percentiles(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The percentiles of each row of `values`, `[rows, 5]`: NaN where a run has overflowed."""
    rows = np.full((len(values), len(PERCENTILES)), math.nan)
    finite = np.isfinite(values).all(axis=1)
    if finite.any():
        rows[finite] = np.percentile(values[finite].astype(np.float64), PERCENTILES, axis=1).T
    return rows


def bands_figure(title: str, frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> go.Figure:
    """Each run's bands and median over its epochs.

    `frames` maps a run to a frame with the columns epoch and p5 … p95; `styles` maps it to its style.
    """
    shown = {run: frame for run, frame in frames.items() if not frame.empty}
    if not shown:
        return message_figure(title, "Nothing measured yet")
    layout = {
        "title": {"text": title},
        "showlegend": False,
        "hovermode": "x unified",
        "margin": {"l": 48, "r": 8, "t": 40, "b": 8},
        "xaxis": {"title": {"text": "epoch"}, "rangemode": "tozero", "hoverformat": ".2f"},
        "yaxis": {"nticks": 6, "exponentformat": "power", **_range(shown)},
    }
    opacities = (0.18, 0.32) if len(shown) == 1 else (0.12, 0.22)
    thinned = {run: frame.iloc[evenly_spaced(len(frame), MAX_POINTS)] for run, frame in shown.items()}
    bands = [trace for run, frame in thinned.items() for trace in _bands(run, frame, styles[run], opacities)]
    return plain_figure([*bands, *(_median(run, frame, styles[run]) for run, frame in thinned.items())], layout)


def band_ends(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Between what the bands of a run lie."""
    return frame[["p5", "p95"]].to_numpy(float).ravel()


def _range(frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The y axis where Plotly's own choice is none.

    Around values that are all the same it would put a number on the corner, and with a run that has exploded all
    others would be flat.
    """
    values = {run: band_ends(frame) for run, frame in frames.items()}
    exploded = exploded_runs(values)
    within = np.concatenate([own for run, own in values.items() if run not in exploded])
    finite = within[np.isfinite(within)]
    if not finite.size or (np.ptp(finite) and not exploded):
        return {}
    margin = MARGIN * np.ptp(finite) or FLAT
    return {"range": [finite.min() - margin, finite.max() + margin]}


def _bands(run: str, frame: pd.DataFrame, style: Style, opacities: tuple[float, float]) -> list[dict[str, Any]]:
    traces = []
    for low, high, opacity in (("p5", "p95", opacities[0]), ("p15", "p85", opacities[1])):
        invisible = {"line": {"width": 0, "color": style.colour}, "hoverinfo": "skip"}
        filled = {"fill": "tonexty", "fillcolor": style.fill(opacity)}
        traces.append(_percentile(run, frame, low) | invisible)
        traces.append(_percentile(run, frame, high) | invisible | filled)
    return traces


def _median(run: str, frame: pd.DataFrame, style: Style) -> dict[str, Any]:
    outer = frame[["p5", "p95"]].to_numpy(np.float32)
    return _percentile(run, frame, "p50") | {
        "name": style.name,
        "line": style.line(),
        "customdata": outer,
        "hovertemplate": "%{y:.4g} (90 %: %{customdata[0]:.3g} to %{customdata[1]:.3g})",
    }


def _percentile(run: str, frame: pd.DataFrame, column: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": f"{run}-{column}",
        "x": frame["epoch"].to_numpy(np.float32),
        "y": frame[column].to_numpy(np.float32),
        "mode": "lines",
    }


def bands_alt(title: str, frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    """Where each run's median and its 90 % have got to, in a sentence."""
    ends = [
        f"{styles[run].name} {format_digits(median)}, 90 % between {format_digits(low)} and {format_digits(high)}"
        for run, frame in frames.items()
        for low, median, high in frame[["p5", "p50", "p95"]].tail(1).to_numpy(float)
        if math.isfinite(median)
    ]
    return f"{title}, the median at the end: {'; '.join(ends)}." if ends else f"{title}: nothing to show."


VARIABLE_TITLES = {name: variable.title for name, variable in normalizers.VARIABLES.items()}


INITIAL_VALUES = {name: variable.initial for name, variable in normalizers.VARIABLES.items()}
"""What Keras starts them at."""


def shown_variables(specs: Iterable[RunSpec]) -> tuple[str, ...]:
    """The variables of the specs' normalizers that charts show, also those that a spec leaves out."""
    found = [v.name for spec in specs for v in NORMALIZERS[spec.normalizer].shown_variables]
    return tuple(name for name in VARIABLE_TITLES if name in found)


def statistics_notes(specs: Iterable[RunSpec]) -> tuple[str, ...]:
    """A sentence for each of the specs' normalizers that has no moving statistics to show."""
    titles = dict.fromkeys(
        NORMALIZERS[spec.normalizer].title for spec in specs if not NORMALIZERS[spec.normalizer].keeps_moving_statistics
    )
    return tuple(
        f"{title} keeps no moving statistics: it normalizes each example by that example's own values."
        for title in titles
    )


def normalization_frame(snapshots: pd.DataFrame, steps_per_epoch: int) -> pd.DataFrame:
    """Columns epoch, variable, p5 … p95: percentiles over the layer's units at each moment.

    `snapshots` has the columns step, variable, values (arrays), as `bnlab.runs.reader.snapshots_frame` makes it.
    """
    shown = snapshots[snapshots["variable"].isin(list(VARIABLE_TITLES))].reset_index(drop=True)
    percentiles = np.empty((len(shown), len(PERCENTILE_COLUMNS)))
    for rows in shown.groupby("variable").indices.values():
        percentiles[rows] = row_percentiles(np.stack(shown["values"].iloc[rows].tolist()))
    frame = pd.DataFrame(percentiles, columns=[*PERCENTILE_COLUMNS])
    frame.insert(0, "epoch", shown["step"] / steps_per_epoch)
    frame.insert(1, "variable", shown["variable"])
    return frame


def unit_values(snapshots: pd.DataFrame, variable: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The steps at which the layer was recorded, and one variable's values then, `[moments, units]`."""
    own = snapshots[snapshots["variable"] == variable]
    values = np.stack(own["values"].tolist()) if len(own) else np.empty((0, 0), np.float32)
    return own["step"].to_numpy(np.int64), values


def values_at(snapshots: pd.DataFrame, variable: str, step: int) -> NDArray[np.float32]:
    """One variable's values, `[units]`, at the latest moment up to `step`; empty before the first."""
    steps, values = unit_values(snapshots, variable)
    reached = int(np.searchsorted(steps, step, side="right"))
    return values[reached - 1] if reached else np.empty(0, np.float32)


def missing_variable_figure(snapshots: Mapping[str, pd.DataFrame], variable: str) -> go.Figure | None:
    """What to say where no run has recorded `variable`; None where one has.

    `snapshots` maps a run to any frame with the column variable.
    """
    recorded = [frame["variable"] for frame in snapshots.values() if not frame.empty]
    if any((names == variable).any() for names in recorded):
        return None
    switch = normalizers.VARIABLES[variable].field
    words = f"No {VARIABLE_TITLES[variable]}: {switch} is off" if switch else "Not recorded here"
    return message_figure(VARIABLE_TITLES[variable], words if recorded else "Nothing measured yet")


def normalization_figure(frames: Mapping[str, pd.DataFrame], variable: str, styles: Mapping[str, Style]) -> go.Figure:
    """The median of one variable over the layer's units, with its bands, for each run."""
    absent = missing_variable_figure(frames, variable)
    return absent or bands_figure(VARIABLE_TITLES[variable], _of_variable(frames, variable), styles)


def normalization_alt(
    frames: Mapping[str, pd.DataFrame], variable: str, layer: str, styles: Mapping[str, Style]
) -> str:
    """Where the variable has got to in each run, in a sentence."""
    return bands_alt(f"{VARIABLE_TITLES[variable]} of {layer}", _of_variable(frames, variable), styles)


def _of_variable(frames: Mapping[str, pd.DataFrame], variable: str) -> dict[str, pd.DataFrame]:
    return {run: frame[frame["variable"] == variable] for run, frame in frames.items()}


def pre_activation_frame(layers: pd.DataFrame, layer: str, steps_per_epoch: int) -> pd.DataFrame:
    """Columns epoch, p5 … p95 of one hidden layer; `layers` as `bnlab.runs.reader.layers_frame` makes it."""
    own = layers[layers["layer"] == layer].reset_index(drop=True)
    frame = own[[*PERCENTILE_COLUMNS]].copy()
    frame.insert(0, "epoch", own["step"] / steps_per_epoch)
    return frame


def pre_activation_figure(frames: Mapping[str, pd.DataFrame], layer: str, styles: Mapping[str, Style]) -> go.Figure:
    """The median over units and examples with its bands, for each run."""
    return bands_figure(f"Into the activation after {layer}", frames, styles)


def pre_activation_alt(frames: Mapping[str, pd.DataFrame], layer: str, styles: Mapping[str, Style]) -> str:
    """Where they have got to in each run, in a sentence."""
    return bands_alt(f"Into the activation after {layer}", frames, styles)


def pre_activation_note(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    """Which runs' bands leave the axes that all have in common."""
    exploded = exploded_runs({run: band_ends(frame) for run, frame in frames.items()})
    names = [styles[run].name for run in frames if run in exploded]
    return f"{', '.join(names)}: {EXPLODED_TEXT}" if names else ""


PRE_ACTIVATIONS = LayerChart(
    "pre-activation",
    "What enters each hidden layer's activation, over its units and 128 training images, in training mode. "
    "Line: the median. Bands: where 70 % and 90 % lie (Ioffe and Szegedy 2015, figure 1, shows 70 %).",
    pre_activation_frame,
    pre_activation_figure,
    pre_activation_alt,
    pre_activation_note,
)
