"""Series for tests, and parts of their figures."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import strategies as st

from bnlab.charts.curve_settings import CURVES, TRAINING_CURVES, VALIDATION_CURVES, X_AXES, Curve, CurveSettings
from bnlab.charts.learning_curves import curve_alt, curve_drawing
from bnlab.charts.series import TRAINING_COLUMNS, Series, prepare_curve
from bnlab.charts.style import Style, styles_of
from tests.charts.frames import columns_of, seeds_frame, smoothed_frame
from tests.charts.snapshots import assert_drawable

LOSS, ACCURACY = TRAINING_CURVES
VAL_LOSS, VAL_ACCURACY = VALIDATION_CURVES
LABELS = ["Without BN", "BN, after"]
STYLES = styles_of(LABELS)
ROUGH = CurveSettings(smoothing=0)
BIG = 3.4e38  # nearly the largest float32
NAN, INF = math.nan, math.inf

every_curve = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.id)
values_of_runs = st.lists(st.floats(0, 1) | st.sampled_from([NAN, INF, BIG, 0.0]), max_size=15)
views = st.builds(
    CurveSettings,
    x=st.sampled_from(list(X_AXES)),
    smoothing=st.sampled_from([0.0, 0.6, 0.99]),
    baseline=st.sampled_from(["", *LABELS, "gone"]),
    **dict.fromkeys(("log_x", "log_y", "singles", "differences", "projector"), st.booleans()),
)


def points(curve: Curve, values: Sequence[float], pace: float = 1.0, smoothing: float = 0.0) -> pd.DataFrame:
    """Points a tenth of an epoch, ten steps and `pace` seconds apart, from 0 in validation, one later in training."""
    first = 1 if curve in TRAINING_CURVES else 0
    count = first + np.arange(len(values))
    column = np.asarray(values, np.float32)
    frame = pd.DataFrame({"step": count, curve.column: column})
    if curve in TRAINING_CURVES:
        frame = smoothed_frame(frame.assign(**dict.fromkeys(TRAINING_COLUMNS, column)), smoothing)
    return frame.assign(step=10 * count, epoch=count / 10, seconds=pace * count)


def line(curve: Curve, *seeds: Sequence[float], pace: float = 1.0, smoothing: float = 0.0) -> Series:
    frames = [points(curve, values, pace, smoothing) for values in seeds]
    columns = [name for name in points(curve, []) if name not in ("step", "epoch", "seconds")]
    return Series(columns_of(seeds_frame(frames, columns)), [columns_of(frame) for frame in frames])


def lines(curve: Curve, *values: Sequence[float], smoothing: float = 0.0) -> dict[str, Series]:
    """One seed each."""
    return {label: line(curve, losses, smoothing=smoothing) for label, losses in zip(LABELS, values, strict=False)}


def fronts(figure: go.Figure) -> dict[str, go.Scatter]:
    """The lines in the legend."""
    return {trace.name: trace for trace in figure.data if trace.showlegend is not False}


def backs(figure: go.Figure, kind: str) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.uid.endswith(f"-{kind}")]


def assert_sound(figure: go.Figure) -> None:
    """Plotly accepts the figure, and all its points are finite float32."""
    assert_drawable(figure)
    for trace in figure.data:
        assert trace.x.dtype == trace.y.dtype == np.float32, "half the bytes of a tick"
        assert len(trace.x) == len(trace.y)
        assert np.isfinite(trace.x).all()
        assert np.isfinite(trace.y).all()
        assert figure.layout.xaxis.type != "log" or (trace.x > 0).all()


def curve_figure(
    series: Mapping[str, Series],
    styles: Mapping[str, Style],
    curve: Curve,
    settings: CurveSettings,
    *,
    awaited: bool = False,
) -> go.Figure:
    return curve_drawing(prepare_curve(series, curve, settings), styles, awaited=awaited).figure()


def curve_text(series: Mapping[str, Series], curve: Curve, settings: CurveSettings, *, awaited: bool = False) -> str:
    return curve_alt(prepare_curve(series, curve, settings), awaited=awaited)
