"""What enters each hidden layer's nonlinearity, over training: figure 1 (b, c) of Ioffe and Szegedy, 2015."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.bands import bands_alt, bands_figure, extremes
from bnlab.charts.drawing import LayerChart
from bnlab.charts.explosions import EXPLODED_WORDS, exploded_runs
from bnlab.charts.style import Style
from bnlab.runs.frames import PERCENTILE_COLUMNS


def pre_activation_frame(layers: pd.DataFrame, layer: str, steps_per_epoch: int) -> pd.DataFrame:
    """Columns epoch, p5 … p95 of one hidden layer; `layers` as `bnlab.runs.frames.layers_frame` makes it."""
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
    exploded = exploded_runs({run: extremes(frame) for run, frame in frames.items()})
    names = [styles[run].name for run in frames if run in exploded]
    return f"{', '.join(names)}: {EXPLODED_WORDS}" if names else ""


PRE_ACTIVATIONS = LayerChart(
    "pre-activation",
    "What enters each hidden layer's activation, over its units and 128 training images, in training mode. "
    "Line: the median. Bands: where 70 % and 90 % lie (Ioffe and Szegedy 2015, figure 1, shows 70 %).",
    pre_activation_frame,
    pre_activation_figure,
    pre_activation_alt,
    pre_activation_note,
)
