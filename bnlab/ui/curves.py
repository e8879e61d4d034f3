"""The four live charts of a comparison, and how they are looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from bnlab.charts.curves import TRAINING_CURVES, VALIDATION_CURVES, Curve, Line, curve_alt, curve_figure
from bnlab.charts.points import COLUMNS, most_points, seeds_frame, stretch_of, thinned_frame
from bnlab.charts.style import Style
from bnlab.charts.view import X_AXES, View
from bnlab.runs.frames import moments_frame
from bnlab.runs.run import Run
from bnlab.runs.step_curves import StepCurves
from bnlab.runs.store import Store
from bnlab.ui.live_chart import live_chart
from bnlab.ui.session import Desk

HEIGHT = 360
PROJECTED_HEIGHT = 460
MEASURED = ("val_loss", "val_accuracy")
RAW = tuple(f"{name}{end}" for name in COLUMNS for end in ("", "_low", "_high"))


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


def render_curves(
    store: Store, curves: StepCurves, shown: Mapping[str, Sequence[Run]], styles: Mapping[str, Style], view: View
) -> None:
    """Draw loss and accuracy, in training and in validation; `shown` maps each label to its runs."""
    measured = moments_frame(store, [run for runs in shown.values() for run in runs])
    validation = {label: _validation_line(runs, measured) for label, runs in shown.items()}
    training = {label: _training_line(curves, runs, measured, len(shown)) for label, runs in shown.items()}
    left, right = st.columns(2)
    with left:
        _render(training, styles, TRAINING_CURVES, view)
    with right:
        _render(validation, styles, VALIDATION_CURVES, view)


def _set(desk: Desk, name: str, key: str) -> None:
    desk.view = desk.view.model_copy(update={name: st.session_state[key]})


def _training_line(curves: StepCurves, runs: Sequence[Run], measured: pd.DataFrame, variants: int) -> Line:
    steps = [curves.frame(run) for run in runs]
    stretch = stretch_of(max(map(len, steps), default=0), most_points(variants))
    frames = [_placed(thinned_frame(s, stretch), run, measured) for s, run in zip(steps, runs, strict=True)]
    return _line(frames, RAW)


def _validation_line(runs: Sequence[Run], measured: pd.DataFrame) -> Line:
    return _line([measured[measured["run"] == run.digest] for run in runs], MEASURED)


def _line(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> Line:
    return Line(seeds_frame(frames, columns), frames) if frames else Line(_empty(columns), [])


def _empty(columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=["step", "epoch", "seconds", *columns], dtype=float)


def _placed(frame: pd.DataFrame, run: Run, measured: pd.DataFrame) -> pd.DataFrame:
    """With epoch and seconds; the seconds between two moments are taken as evenly spent."""
    own = measured[measured["run"] == run.digest]
    steps, seconds = np.append(own["step"], run.step), np.append(own["seconds"], run.seconds)
    placed = {"epoch": frame["step"] / run.spec.steps_per_epoch, "seconds": np.interp(frame["step"], steps, seconds)}
    return frame.assign(**placed)


def _render(lines: Mapping[str, Line], styles: Mapping[str, Style], charts: tuple[Curve, ...], view: View) -> None:
    for curve in charts:
        figure = curve_figure(lines, styles, curve, view)
        with st.container(border=True):
            height = PROJECTED_HEIGHT if view.projector else HEIGHT
            live_chart(figure, key=curve.title, height=height, alt=curve_alt(lines, curve))
