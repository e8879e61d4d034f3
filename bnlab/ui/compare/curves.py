"""The four live charts of a comparison, and the controls of their settings."""

from typing import Any

import streamlit as st

from bnlab.charts.series import CURVES, X_AXES, CurveSettings
from bnlab.ui.components import change_setting
from bnlab.ui.controls import bind
from bnlab.ui.live_chart import streamed_chart
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


def render_curves(settings: CurveSettings, variants: int) -> None:
    """Draw validation accuracy and loss in one row, training accuracy and loss below, from the stream."""
    height = _chart_height(variants, projector=settings.projector)
    validation, training = st.columns(2), st.columns(2)
    for curve in CURVES:
        left, right = training if curve.is_noisy else validation
        with left if curve.is_fraction else right, st.container(border=True):
            streamed_chart(f"charts/{curve.id}", key=curve.id, height=height)


def _chart_height(variants: int, *, projector: bool) -> int:
    height, row = (PROJECTED_HEIGHT, PROJECTED_LEGEND_ROW) if projector else (HEIGHT, LEGEND_ROW)
    return height + row * max(variants - LEGEND_ROWS_INCLUDED, 0)
