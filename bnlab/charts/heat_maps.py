"""Every unit of a normalization layer over training, one row a unit."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.deviations import MAIN_DOMAIN, bar_axes, deviation_limit, deviation_traces
from bnlab.charts.moments import labelled_positions, moment_words
from bnlab.charts.normalization import INITIAL, VARIABLES, unit_values
from bnlab.charts.spread import spread
from bnlab.charts.style import message_figure, plain_figure

MOST_UNITS = 200
MOST_MOMENTS = 120


def heat_map_frame(snapshots: pd.DataFrame, variable: str) -> pd.DataFrame:
    """One row a unit (the index), sorted by its last value, and one column a step.

    Of more units or moments than a screen has room for, an even spread over the sorted units and over the moments.
    """
    steps, values = unit_values(snapshots, variable)
    if not len(steps):
        return pd.DataFrame()
    sound = np.flatnonzero(np.isfinite(values).all(axis=1))
    units = np.argsort(values[sound[-1] if len(sound) else 0], kind="stable")[spread(values.shape[1], MOST_UNITS)]
    moments = spread(len(steps), MOST_MOMENTS)
    return pd.DataFrame(values[np.ix_(moments, units)].T, index=units, columns=steps[moments])


def heat_map_figure(frame: pd.DataFrame, variable: str, steps_per_epoch: int) -> go.Figure:
    """The frame's units from bottom to top and its moments from left to right, evenly spaced."""
    if frame.empty:
        return message_figure(VARIABLES[variable], "Nothing to show")
    steps, values = [int(step) for step in frame.columns], frame.to_numpy(np.float32)
    limit = deviation_limit(variable, values)
    place = {
        "x": [moment_words(step, steps_per_epoch) for step in steps],
        "y": [f"unit {unit}" for unit in frame.index],
        "hovertemplate": "%{y}, %{x}: %{customdata:.4g}<extra></extra>",
    }
    layout = {
        "title": {"text": VARIABLES[variable]},
        "margin": {"l": 24, "r": 8, "t": 40, "b": 8},
        "xaxis": {
            "type": "category",
            "domain": MAIN_DOMAIN,
            "tickvals": labelled_positions(steps, steps_per_epoch),
            "tickangle": 0,
            "showgrid": False,
        },
        "yaxis": {
            "type": "category",
            "showticklabels": False,
            "ticks": "",
            "showgrid": False,
            "title": {"text": "units"},
        },
        **bar_axes(variable, limit),
    }
    return plain_figure(deviation_traces(variable, values, limit, place), layout)


def heat_map_alt(frame: pd.DataFrame, variable: str, layer: str) -> str:
    """How many units ended above and how many below where they started, in a sentence."""
    title = f"{VARIABLES[variable]} of {layer}"
    if frame.empty:
        return f"{title}: nothing to show."
    last, start = frame.iloc[:, -1], INITIAL[variable]
    above, below = (last > start).mean(), (last < start).mean()
    return f"{title}: {above:.0%} of the units are above the initial {start:g}, {below:.0%} below."
