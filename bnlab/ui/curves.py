"""The four live charts of a comparison, and how they are looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from bnlab.charts.curve_alt import curve_alt
from bnlab.charts.curves import TRAINING_CURVES, VALIDATION_CURVES, curve_drawing
from bnlab.charts.lines import Curve, Line
from bnlab.charts.style import Style
from bnlab.charts.view import X_AXES, View
from bnlab.runs.run import Run, are_active
from bnlab.ui.lines import Lines
from bnlab.ui.live_chart import live_chart
from bnlab.ui.session import Desk

HEIGHT, LEGEND_ROW = 360, 23
PROJECTED_HEIGHT, PROJECTED_LEGEND_ROW = 460, 27
ROOMY = 4
"""As many variants have room in a chart of the usual height, be it narrow; it is higher by a row for each other."""


def render_view(desk: Desk) -> None:
    """Draw the controls of the axes, the smoothing and the baseline."""
    view = desk.view

    def control(name: str) -> dict[str, Any]:
        field = View.model_fields[name]
        key = f"view-{name}"
        st.session_state[key] = getattr(view, name)
        told = {"label": field.title, "help": field.description}
        return told | {"key": key, "on_change": _set, "args": (desk, name, key)}

    st.segmented_control(options=list(X_AXES), format_func=lambda x: X_AXES[x].title, required=True, **control("x"))
    st.slider(min_value=0.0, max_value=0.99, step=0.01, **control("smoothing"))
    st.toggle(**control("log_x"))
    st.toggle(**control("log_y"))
    if desk.comparison.seeds > 1:
        st.toggle(**control("singles"))
    labels = desk.comparison.labels
    st.selectbox(options=["", *labels], format_func=lambda label: label or "none", **control("baseline"))
    if view.baseline:
        st.toggle(**control("differences"))


def render_curves(lines: Lines, shown: Mapping[str, Sequence[Run]], styles: Mapping[str, Style], view: View) -> None:
    """Draw loss and accuracy, in training and in validation; `shown` maps each label to its runs."""
    every = [run for runs in shown.values() for run in runs]
    lines.read_on(every)
    awaited = are_active(every)
    left, right = st.columns(2)
    with left:
        training = {label: lines.training(runs, len(shown)) for label, runs in shown.items()}
        _render(training, styles, TRAINING_CURVES, view, awaited=awaited)
    with right:
        validation = {label: lines.validation(runs) for label, runs in shown.items()}
        _render(validation, styles, VALIDATION_CURVES, view, awaited=awaited)


def _set(desk: Desk, name: str, key: str) -> None:
    desk.view = desk.view.model_copy(update={name: st.session_state[key]})


def _render(
    lines: Mapping[str, Line], styles: Mapping[str, Style], charts: tuple[Curve, ...], view: View, *, awaited: bool
) -> None:
    for curve in charts:
        drawing = curve_drawing(lines, styles, curve, view, awaited=awaited)
        with st.container(border=True):
            height = _height(len(styles), projector=view.projector)
            alt = curve_alt(lines, curve, view, awaited=awaited)
            live_chart(drawing, key=curve.title, height=height, alt=alt)


def _height(variants: int, *, projector: bool) -> int:
    height, row = (PROJECTED_HEIGHT, PROJECTED_LEGEND_ROW) if projector else (HEIGHT, LEGEND_ROW)
    return height + row * max(variants - ROOMY, 0)
