"""The four live charts of a comparison, and the controls of their settings."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from bnlab.charts.learning_curves import learning_curves
from bnlab.charts.series import X_AXES, CurveSettings
from bnlab.charts.style import Style
from bnlab.runs.curves_cache import CurvesCache
from bnlab.runs.run import Run, are_active
from bnlab.ui.components import change_setting
from bnlab.ui.controls import bind
from bnlab.ui.live_chart import live_chart
from bnlab.ui.state import PageState

HEIGHT, LEGEND_ROW = 310, 23
PROJECTED_HEIGHT, PROJECTED_LEGEND_ROW = 460, 27
LEGEND_ROWS_INCLUDED = 4
"""Legend rows in a narrow chart of the usual height; each further variant adds the height of a row."""


def render_settings(state: PageState) -> None:
    """Draw the controls of the axes, the smoothing and the baseline."""

    def options(name: str) -> dict[str, Any]:
        """The arguments shared by the controls of all settings."""
        field = CurveSettings.model_fields[name]
        texts = {"label": field.title, "help": field.description}
        return texts | bind(f"view-{name}", getattr(state.settings, name), change_setting, name)

    st.segmented_control(options=list(X_AXES), format_func=lambda x: X_AXES[x].title, required=True, **options("x"))
    st.slider(min_value=0.0, max_value=0.99, step=0.01, **options("smoothing"))
    st.toggle(**options("log_x"))
    st.toggle(**options("log_y"))
    if state.comparison.seeds > 1:
        st.toggle(**options("singles"))
    labels = state.comparison.labels
    st.selectbox(options=["", *labels], format_func=lambda label: label or "none", **options("baseline"))
    if state.settings.baseline:
        st.toggle(**options("differences"))


def render_curves(
    cache: CurvesCache, runs: Mapping[str, Sequence[Run]], styles: Mapping[str, Style], settings: CurveSettings
) -> None:
    """Draw validation accuracy and loss in one row, training accuracy and loss below.

    `runs` and `styles` are by the variant's label.
    """
    all_runs = [run for variant_runs in runs.values() for run in variant_runs]
    curves = cache.read(all_runs)
    charts = learning_curves(
        {label: [curves[run.digest] for run in variant_runs] for label, variant_runs in runs.items()},
        styles,
        settings,
        awaited=are_active(all_runs),
    )
    height = _chart_height(len(styles), projector=settings.projector)
    validation, training = st.columns(2), st.columns(2)
    for chart in charts:
        left, right = training if chart.curve.is_noisy else validation
        with left if chart.curve.is_fraction else right, st.container(border=True):
            live_chart(chart.drawing, key=chart.curve.id, height=height, alt=chart.alt)


def _chart_height(variants: int, *, projector: bool) -> int:
    height, row = (PROJECTED_HEIGHT, PROJECTED_LEGEND_ROW) if projector else (HEIGHT, LEGEND_ROW)
    return height + row * max(variants - LEGEND_ROWS_INCLUDED, 0)
