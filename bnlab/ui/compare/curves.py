"""The four live charts of a comparison, and the settings of how they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from bnlab.charts.learning_curves import learning_curves
from bnlab.charts.series import X_AXES, CurveSettings
from bnlab.charts.style import Style
from bnlab.runs.curves_cache import CurvesCache
from bnlab.runs.run import Run, are_active
from bnlab.ui.live_chart import live_chart
from bnlab.ui.state import PageState

HEIGHT, LEGEND_ROW = 360, 23
PROJECTED_HEIGHT, PROJECTED_LEGEND_ROW = 460, 27
ROOMY = 4
"""As many variants have room in a chart of the usual height, be it narrow; it is higher by a row for each other."""


def render_settings(state: PageState) -> None:
    """Draw the controls of the axes, the smoothing and the baseline."""
    settings = state.settings

    def control(name: str) -> dict[str, Any]:
        field = CurveSettings.model_fields[name]
        key = f"view-{name}"
        st.session_state[key] = getattr(settings, name)
        texts = {"label": field.title, "help": field.description}
        return texts | {"key": key, "on_change": _set, "args": (state, name, key)}

    st.segmented_control(options=list(X_AXES), format_func=lambda x: X_AXES[x].title, required=True, **control("x"))
    st.slider(min_value=0.0, max_value=0.99, step=0.01, **control("smoothing"))
    st.toggle(**control("log_x"))
    st.toggle(**control("log_y"))
    if state.comparison.seeds > 1:
        st.toggle(**control("singles"))
    labels = state.comparison.labels
    st.selectbox(options=["", *labels], format_func=lambda label: label or "none", **control("baseline"))
    if settings.baseline:
        st.toggle(**control("differences"))


def render_curves(
    cache: CurvesCache, runs: Mapping[str, Sequence[Run]], styles: Mapping[str, Style], settings: CurveSettings
) -> None:
    """Draw loss and accuracy, in training and in validation; `runs` maps each label to its runs."""
    every_run = [run for seeds in runs.values() for run in seeds]
    recorded = cache.read(every_run)
    charts = learning_curves(
        {label: [recorded[run.digest] for run in seeds] for label, seeds in runs.items()},
        styles,
        settings,
        awaited=are_active(every_run),
    )
    height = _height(len(styles), projector=settings.projector)
    training, validation = st.columns(2)
    for chart in charts:
        with training if chart.curve.is_noisy else validation, st.container(border=True):
            live_chart(chart.drawing, key=chart.curve.id, height=height, alt=chart.alt)


def _set(state: PageState, name: str, key: str) -> None:
    state.settings = state.settings.model_copy(update={name: st.session_state[key]})


def _height(variants: int, *, projector: bool) -> int:
    height, row = (PROJECTED_HEIGHT, PROJECTED_LEGEND_ROW) if projector else (HEIGHT, LEGEND_ROW)
    return height + row * max(variants - ROOMY, 0)
