"""A normalization layer's moving statistics against those of the batches, over training.

With moving mean m and variance v, inference turns values of mean μ and variance σ² into values of mean and deviation

    (μ − m) / √(v + ε)    and    √((σ² + ε) / (v + ε)),

where the batch's own statistics give 0 and (for σ² far above ε) 1. μ and σ² are those of the training images at each
evaluation (see `bnlab.training.statistics`).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.distributions import bands_alt, bands_figure, row_percentiles, unit_values
from bnlab.charts.figures import message_figure
from bnlab.charts.style import Style
from bnlab.runs.reader import PERCENTILE_COLUMNS
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import REESTIMATED_MEAN, REESTIMATED_VARIANCE

QUANTITIES = {
    "mean": "Mean with moving statistics",
    "deviation": "Deviation with moving statistics",
}
"""What is drawn, by its id: over the units of a layer."""
NOT_RECORDED = "Not recorded: see “Evaluate with” in Settings"


def moving_statistics_frame(snapshots: pd.DataFrame, spec: RunSpec) -> pd.DataFrame:
    """Columns epoch, quantity (of QUANTITIES), p5 … p95: percentiles over the layer's units at each evaluation.

    `snapshots` as `bnlab.runs.reader.snapshots_frame` makes it. Empty if the statistics of the batches, or moving ones,
    were not recorded.
    """
    roles = {variable.role: variable.name for variable in NORMALIZERS[spec.normalizer].variables}
    names = (roles.get("mean", ""), roles.get("variance", ""), REESTIMATED_MEAN, REESTIMATED_VARIANCE)
    steps, mean = unit_values(snapshots, REESTIMATED_MEAN)
    m, v, mean, variance = (unit_values(snapshots, name)[1].astype(float) for name in names)
    if not mean.size or m.shape != mean.shape:
        return pd.DataFrame(columns=["epoch", "quantity", *PERCENTILE_COLUMNS])
    with np.errstate(all="ignore"):  # of runs that diverge
        inference = np.sqrt(v + spec.epsilon)
        left = {
            "mean": (mean - m) / inference,
            "deviation": np.sqrt(variance + spec.epsilon) / inference,
        }
    frames = []
    for quantity, values in left.items():
        frame = pd.DataFrame(row_percentiles(values), columns=[*PERCENTILE_COLUMNS])
        frame.insert(0, "epoch", steps / spec.steps_per_epoch)
        frame.insert(1, "quantity", quantity)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def moving_statistics_figure(
    frames: Mapping[str, pd.DataFrame], quantity: str, styles: Mapping[str, Style]
) -> go.Figure:
    """The median of one quantity over the layer's units, with its bands, for each run."""
    shown = _select(frames, quantity)
    if all(frame.empty for frame in shown.values()):
        return message_figure(QUANTITIES[quantity], NOT_RECORDED)
    return bands_figure(QUANTITIES[quantity], shown, styles)


def moving_statistics_alt(
    frames: Mapping[str, pd.DataFrame], quantity: str, layer: str, styles: Mapping[str, Style]
) -> str:
    """Each run's last median and band of one quantity, in a sentence."""
    return bands_alt(f"{QUANTITIES[quantity]} in {layer}", _select(frames, quantity), styles)


def _select(frames: Mapping[str, pd.DataFrame], quantity: str) -> dict[str, pd.DataFrame]:
    return {run: frame[frame["quantity"] == quantity] for run, frame in frames.items()}
