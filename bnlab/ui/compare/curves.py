"""The four live charts of a comparison, and the controls of their settings."""

from typing import Any

import streamlit as st

from bnlab.charts.curve_settings import CURVES, CURVES_BY_ID, X_AXES, CurveSettings
from bnlab.specs.choices import EVALUATED_IMAGES, STATISTICS
from bnlab.ui.components import change_setting
from bnlab.ui.controls import apply_changes, bind
from bnlab.ui.live_chart import streamed_chart
from bnlab.ui.state import PageState, current_state

HEIGHT = 290
"""In pixels; also the least height of the one chart on a projector, which fills the window."""


def render_view(state: PageState) -> None:
    """Draw the controls of the axes, the smoothing, the evaluations and the baseline."""

    def options(name: str) -> dict[str, Any]:
        """The arguments shared by the controls of all settings."""
        field = CurveSettings.model_fields[name]
        texts = {"label": field.title, "help": field.description}
        return texts | bind(f"view-{name}", getattr(state.settings, name), change_setting, name)

    st.segmented_control(options=list(X_AXES), format_func=lambda x: X_AXES[x].title, required=True, **options("x"))
    st.slider(min_value=0.0, max_value=0.99, step=0.01, **options("smoothing"))
    st.selectbox(options=list(STATISTICS), format_func=lambda way: STATISTICS[way].title, **options("statistics"))
    st.segmented_control(
        options=list(EVALUATED_IMAGES),
        format_func=lambda images: EVALUATED_IMAGES[images].title,
        required=True,
        **options("images"),
    )
    st.toggle(**options("log_x"))
    st.toggle(**options("log_y"))
    if state.comparison.seeds > 1:
        st.toggle(**options("singles"))
    labels = state.comparison.labels
    st.selectbox(options=["", *labels], format_func=lambda label: label or "none", **options("baseline"))
    if state.settings.baseline:
        st.toggle(**options("differences"))


def render_curves(settings: CurveSettings, description: str) -> None:
    """Draw validation accuracy and loss in one row, training accuracy and loss below, from the stream.

    For a projector one of them as wide as the page, with the keys to show another one. `description` is the id of the
    element that says what they show, if there is one.
    """
    if settings.projector:
        _render_one_curve(settings, description)
        return
    validation, training = st.columns(2), st.columns(2)
    for curve in CURVES:
        left, right = training if curve.is_noisy else validation
        with left if curve.is_fraction else right, st.container(border=True, key=f"box-{curve.id}"):
            streamed_chart(f"charts/{curve.id}", key=curve.id, height=HEIGHT, description=description)


def _render_one_curve(settings: CurveSettings, description: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Chart",
            list(CURVES_BY_ID),
            format_func=lambda curve: CURVES_BY_ID[curve].title,
            required=True,
            label_visibility="collapsed",
            **bind("view-chart", settings.chart, change_setting, "chart"),
        )
        st.button("Next chart", icon=":material/arrow_forward:", shortcut="N", on_click=_show_next, key="next-chart")
    with st.container(border=True, key=f"box-{settings.chart}"):
        streamed_chart(
            f"charts/{settings.chart}", key=settings.chart, height=HEIGHT, fills=True, description=description
        )


def _show_next() -> None:
    """Show the next chart, after the last one the first."""
    apply_changes()
    ids = list(CURVES_BY_ID)
    shown = current_state().settings.chart
    change_setting("chart", ids[(ids.index(shown) + 1) % len(ids)])
