"""The variables of a normalization layer over training: gamma and beta, moving mean and moving variance."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnlab.charts.bands import bands_alt, bands_figure, percentile_rows
from bnlab.charts.style import Style, message_figure
from bnlab.runs.frames import PERCENTILE_COLUMNS
from bnlab.spec import normalizers
from bnlab.spec.normalizers import NORMALIZERS
from bnlab.spec.run_spec import RunSpec

VARIABLES = {name: variable.title for name, variable in normalizers.VARIABLES.items()}
INITIAL = {name: variable.initial for name, variable in normalizers.VARIABLES.items()}
"""What Keras starts them at."""


def shown_variables(specs: Iterable[RunSpec]) -> tuple[str, ...]:
    """The variables of the specs' normalizers that charts show, also those that a spec leaves out."""
    found = [v.name for spec in specs for v in NORMALIZERS[spec.normalizer].shown_variables]
    return tuple(name for name in VARIABLES if name in found)


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

    `snapshots` has the columns step, variable, values (arrays), as `bnlab.runs.frames.snapshots_frame` makes it.
    """
    shown = snapshots[snapshots["variable"].isin(list(VARIABLES))].reset_index(drop=True)
    percentiles = np.empty((len(shown), len(PERCENTILE_COLUMNS)))
    for rows in shown.groupby("variable").indices.values():
        percentiles[rows] = percentile_rows(np.stack(shown["values"].iloc[rows].tolist()))
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


def absent_figure(snapshots: Mapping[str, pd.DataFrame], variable: str) -> go.Figure | None:
    """What to say where no run has recorded `variable`; None where one has.

    `snapshots` maps a run to any frame with the column variable.
    """
    recorded = [frame["variable"] for frame in snapshots.values() if not frame.empty]
    if any((names == variable).any() for names in recorded):
        return None
    switch = normalizers.VARIABLES[variable].field
    words = f"No {VARIABLES[variable]}: {switch} is off" if switch else "Not recorded here"
    return message_figure(VARIABLES[variable], words if recorded else "Nothing measured yet")


def normalization_figure(frames: Mapping[str, pd.DataFrame], variable: str, styles: Mapping[str, Style]) -> go.Figure:
    """The median of one variable over the layer's units, with its bands, for each run."""
    absent = absent_figure(frames, variable)
    return absent or bands_figure(VARIABLES[variable], _of_variable(frames, variable), styles)


def normalization_alt(
    frames: Mapping[str, pd.DataFrame], variable: str, layer: str, styles: Mapping[str, Style]
) -> str:
    """Where the variable has got to in each run, in a sentence."""
    return bands_alt(f"{VARIABLES[variable]} of {layer}", _of_variable(frames, variable), styles)


def _of_variable(frames: Mapping[str, pd.DataFrame], variable: str) -> dict[str, pd.DataFrame]:
    return {run: frame[frame["variable"] == variable] for run, frame in frames.items()}
