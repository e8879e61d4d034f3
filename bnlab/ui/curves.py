"""The four live charts of a comparison."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from bnlab.charts.curves import TRAINING_CURVES, VALIDATION_CURVES, Curve, curve_alt, curve_figure, thinned_frame
from bnlab.charts.style import Style
from bnlab.runs.frames import moments_frame, steps_frame
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.ui.live_chart import live_chart


def render_curves(store: Store, runs: Mapping[str, Run], styles: Mapping[str, Style]) -> None:
    """Draw loss and accuracy, in training and in validation, of `runs` (digest -> run)."""
    training = {d: thinned_frame(steps_frame(store, d), run.spec.steps_per_epoch) for d, run in runs.items()}
    measured = moments_frame(store, list(runs.values()))
    validation = {digest: measured[measured["run"] == digest] for digest in runs}
    left, right = st.columns(2)
    with left:
        _render(training, styles, TRAINING_CURVES)
    with right:
        _render(validation, styles, VALIDATION_CURVES)


def _render(curves: Mapping[str, pd.DataFrame], styles: Mapping[str, Style], charts: tuple[Curve, ...]) -> None:
    for curve in charts:
        figure = curve_figure(curves, styles, curve)
        with st.container(border=True):
            live_chart(figure, key=curve.title, height=390, alt=curve_alt(curves, styles, curve))
