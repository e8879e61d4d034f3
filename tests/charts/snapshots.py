"""Snapshots as `bnlab.runs.reader.snapshots_frame` makes them, and checks that apply to every figure."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.style import Style
from bnlab.ui.live_chart import figure_json

STYLES = {"a1": Style("With BN", "#0072B2", "dash"), "b2": Style("Without", "#D55E00", "solid")}


def snapshots_of(values: dict[str, list[list[float]]], steps: list[int]) -> pd.DataFrame:
    rows = [
        (step, variable, np.array(values_by_step[i], np.float32))
        for i, step in enumerate(steps)
        for variable, values_by_step in values.items()
    ]
    return pd.DataFrame(rows, columns=["step", "variable", "values"])


def texts(figure: go.Figure) -> list[str]:
    """The annotations that are not the names of lines."""
    return [note.text for note in figure.layout.annotations if not note.name]


def assert_drawable(figure: go.Figure) -> None:
    """Plotly accepts every property, JSON has no NaN, and each uid is valid as a CSS class."""
    go.Figure(figure.to_dict())
    sent = json.loads(figure_json(figure, uirevision="x"), parse_constant=_refuse)
    uids = [trace["uid"] for trace in sent["data"]]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[\w-]+", uid) for uid in uids)


def _refuse(constant: str) -> None:
    raise AssertionError(constant)


def limits(axis: Any) -> tuple[float, float]:
    """The range of an axis that `bnlab.charts.figures.initial_range` made."""
    assert axis.autorange is True
    assert axis.range is None, "it would override the reader's zoom"
    return axis.autorangeoptions.minallowed, axis.autorangeoptions.maxallowed
