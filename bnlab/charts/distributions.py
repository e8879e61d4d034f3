"""Percentiles of a layer's values over training, as bands around the median.

Of a normalization layer's variables over its units, and of a hidden layer's pre-activations over units and examples.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.figures import LayerChart, initial_range, message_figure, plain_figure
from bnlab.charts.formatting import format_digits
from bnlab.charts.snapshots import EXPLODED_TEXT, exploded_runs
from bnlab.charts.style import Style
from bnlab.runs.reader import PERCENTILE_COLUMNS
from bnlab.runs.thinning import thin_together
from bnlab.specs import normalizers
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import PERCENTILES

MAX_POINTS = 150
CONSTANT_MARGIN = 0.11
"""The y axis above and below values that are all equal."""
MARGIN = 0.06  # of the values' span

VARIABLE_TITLES = {name: variable.title for name, variable in normalizers.VARIABLES.items()}
INITIAL_VALUES = {name: variable.initial for name, variable in normalizers.VARIABLES.items()}
"""As Keras initializes them."""


# Normalization variables


def shown_variables(specs: Iterable[RunSpec]) -> tuple[str, ...]:
    """The variables of the specs' normalizers that charts show, also those that a spec switches off."""
    names = {variable.name for spec in specs for variable in NORMALIZERS[spec.normalizer].shown_variables}
    return tuple(name for name in VARIABLE_TITLES if name in names)


def statistics_notes(specs: Iterable[RunSpec]) -> tuple[str, ...]:
    """A sentence for each of the specs' normalizers that has no moving statistics to show."""
    used = [NORMALIZERS[spec.normalizer] for spec in specs]
    titles = dict.fromkeys(normalizer.title for normalizer in used if not normalizer.keeps_moving_statistics)
    return tuple(
        f"{title} keeps no moving statistics: it normalizes each example by that example's own values."
        for title in titles
    )


def unit_values(snapshots: pd.DataFrame, variable: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The steps of a layer's snapshots, `[evaluations]`, and one variable's values, `[evaluations, units]`."""
    # Arrays: selecting rows of the frame, which the charts do for each variable, takes many times longer.
    shown = snapshots["variable"].to_numpy(object) == variable
    arrays = snapshots["values"].to_numpy(object)[shown]
    values = np.stack(arrays.tolist()) if arrays.size else np.empty((0, 0), np.float32)
    return snapshots["step"].to_numpy(np.int64)[shown], values


def values_at(snapshots: pd.DataFrame, variable: str, step: int) -> NDArray[np.float32]:
    """One variable's values, `[units]`, at the latest evaluation up to `step`; empty before the first."""
    steps, values = unit_values(snapshots, variable)
    count = int(np.searchsorted(steps, step, side="right"))
    return values[count - 1] if count else np.empty(0, np.float32)


def normalization_frame(snapshots: pd.DataFrame, steps_per_epoch: int) -> pd.DataFrame:
    """Columns epoch, variable, p5 … p95: percentiles over the layer's units at each evaluation.

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


def normalization_figure(frames: Mapping[str, pd.DataFrame], variable: str, styles: Mapping[str, Style]) -> go.Figure:
    """The median of one variable over the layer's units, with its bands, for each run."""
    missing = missing_variable_figure(frames, variable)
    return missing or bands_figure(VARIABLE_TITLES[variable], _select_variable(frames, variable), styles)


def normalization_alt(
    frames: Mapping[str, pd.DataFrame], variable: str, layer: str, styles: Mapping[str, Style]
) -> str:
    """Each run's last median and band of one variable, in a sentence."""
    return bands_alt(f"{VARIABLE_TITLES[variable]} of {layer}", _select_variable(frames, variable), styles)


def missing_variable_figure(frames: Mapping[str, pd.DataFrame], variable: str) -> go.Figure | None:
    """A message if no run has recorded `variable`; None otherwise.

    `frames` maps each run to any frame with the column variable.
    """
    recorded = [frame["variable"] for frame in frames.values() if not frame.empty]
    if any((names == variable).any() for names in recorded):
        return None
    title, switch = VARIABLE_TITLES[variable], normalizers.VARIABLES[variable].field
    reason = f"No {title}: {switch} is off" if switch else "Not recorded here"
    return message_figure(title, reason if recorded else "Nothing measured yet")


def _select_variable(frames: Mapping[str, pd.DataFrame], variable: str) -> dict[str, pd.DataFrame]:
    return {run: frame[frame["variable"] == variable] for run, frame in frames.items()}


# Pre-activations


def pre_activation_frame(layers: pd.DataFrame, layer: str, steps_per_epoch: int) -> pd.DataFrame:
    """Columns epoch, p5 … p95 of one hidden layer; `layers` as `bnlab.runs.reader.layers_frame` makes it."""
    rows = layers[layers["layer"] == layer].reset_index(drop=True)
    frame = rows[[*PERCENTILE_COLUMNS]].copy()
    frame.insert(0, "epoch", rows["step"] / steps_per_epoch)
    return frame


def pre_activation_figure(frames: Mapping[str, pd.DataFrame], layer: str, styles: Mapping[str, Style]) -> go.Figure:
    """The median over units and examples with its bands, for each run."""
    return bands_figure(f"Pre-activations of {layer}", frames, styles)


def pre_activation_alt(frames: Mapping[str, pd.DataFrame], layer: str, styles: Mapping[str, Style]) -> str:
    """Each run's last median and band, in a sentence."""
    return bands_alt(f"Pre-activations of {layer}", frames, styles)


def pre_activation_note(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    """Names the runs whose bands are outside the axes; empty if there are none."""
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


# Bands


def row_percentiles(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The percentiles of each row of `values`, `[rows, 5]`; NaN for rows that are not finite."""
    percentiles = np.full((len(values), len(PERCENTILES)), math.nan)
    finite = np.isfinite(values).all(axis=1)
    if finite.any():
        percentiles[finite] = np.percentile(values[finite].astype(np.float64), PERCENTILES, axis=1).T
    return percentiles


def bands_figure(title: str, frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> go.Figure:
    """Each run's bands and median over its epochs.

    `frames` maps a run to a frame with the columns epoch and p5 … p95; `styles` maps it to its style. Of a long run the
    evaluations are drawn at which any of the percentiles is the smallest or largest of a part (`thin_together`): the
    edges of both bands and the median keep their peaks, and since all have the same evaluations, none leaves its band.
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
        "yaxis": {"nticks": 6, "exponentformat": "power", **_y_range(shown)},
    }
    opacities = (0.18, 0.32) if len(shown) == 1 else (0.12, 0.22)
    thinned = {
        run: frame.iloc[thin_together(list(frame[[*PERCENTILE_COLUMNS]].to_numpy(float).T), MAX_POINTS)]
        for run, frame in shown.items()
    }
    bands = [trace for run, frame in thinned.items() for trace in _band_traces(run, frame, styles[run], opacities)]
    medians = [_median_trace(run, frame, styles[run]) for run, frame in thinned.items()]
    return plain_figure([*bands, *medians], layout)


def bands_alt(title: str, frames: Mapping[str, pd.DataFrame], styles: Mapping[str, Style]) -> str:
    """Each run's last median and outer band, in a sentence."""
    ends = [
        f"{styles[run].name} {format_digits(median)}, 90 % between {format_digits(low)} and {format_digits(high)}"
        for run, frame in frames.items()
        for low, median, high in frame[["p5", "p50", "p95"]].tail(1).to_numpy(float)
        if math.isfinite(median)
    ]
    return f"{title}, the median at the end: {'; '.join(ends)}." if ends else f"{title}: nothing to show."


def band_ends(frame: pd.DataFrame) -> NDArray[np.float64]:
    """The ends of a run's outer band at all evaluations."""
    return frame[["p5", "p95"]].to_numpy(float).ravel()


def _y_range(frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The range of the y axis where Plotly's choice is not readable; empty otherwise.

    Around values that are all equal Plotly labels a corner, and beside an exploded run all others would be flat.
    """
    values = {run: band_ends(frame) for run, frame in frames.items()}
    exploded = exploded_runs(values)
    included = np.concatenate([ends for run, ends in values.items() if run not in exploded])
    finite = included[np.isfinite(included)]
    if not finite.size or (np.ptp(finite) and not exploded):
        return {}
    margin = MARGIN * np.ptp(finite) or CONSTANT_MARGIN
    return initial_range(float(finite.min() - margin), float(finite.max() + margin))


def _band_traces(run: str, frame: pd.DataFrame, style: Style, opacities: tuple[float, float]) -> list[dict[str, Any]]:
    traces = []
    for low, high, opacity in (("p5", "p95", opacities[0]), ("p15", "p85", opacities[1])):
        invisible = {"line": {"width": 0, "color": style.color}, "hoverinfo": "skip"}
        filled = {"fill": "tonexty", "fillcolor": style.fill(opacity)}
        traces.append(_percentile_trace(run, frame, low) | invisible)
        traces.append(_percentile_trace(run, frame, high) | invisible | filled)
    return traces


def _median_trace(run: str, frame: pd.DataFrame, style: Style) -> dict[str, Any]:
    return _percentile_trace(run, frame, "p50") | {
        "name": style.trace_name,
        "line": style.line(),
        "customdata": frame[["p5", "p95"]].to_numpy(np.float32),
        "hovertemplate": "%{y:.4g} (90 %: %{customdata[0]:.3g} to %{customdata[1]:.3g})",
    }


def _percentile_trace(run: str, frame: pd.DataFrame, column: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": f"{run}-{column}",
        "x": frame["epoch"].to_numpy(np.float32),
        "y": frame[column].to_numpy(np.float32),
        "mode": "lines",
    }
