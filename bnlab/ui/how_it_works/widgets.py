"""Parts shared by the sections: a question with controls beside its figure, charts, sliders and number formats."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

import plotly.graph_objects as go
import streamlit as st

from bnlab.ui.live_chart import live_chart


def question_columns(question: str) -> tuple[AbstractContextManager[object], AbstractContextManager[object]]:
    """Draw `question` as a heading, and return the columns below it for the controls and for the figure."""
    st.subheader(question, anchor=False)
    controls, figure = st.columns([2, 3], gap="medium")
    return controls, figure


def framed_chart(figure: go.Figure, *, key: str, alt: str, height: int = 380) -> None:
    """Draw a chart in a box; `key` is unique on the page."""
    with st.container(border=True):
        live_chart(figure, key=f"how-chart-{key}", height=height, alt=alt)


def choose_number(label: str, options: Sequence[float], value: float, *, key: str, note: str | None = None) -> float:
    """Draw a slider over `options`, numbers of different magnitudes, and return the chosen one."""
    chosen: float = st.select_slider(label, options, value, format_func=plain_number, key=f"how-{key}", help=note)
    return chosen


def plain_number(value: float) -> str:
    """The number in decimal notation down to 0.00001, below that as 1e-06."""
    return f"{value:zg}" if value == 0 or abs(value) >= 1e-5 else f"{value:.0e}"


def latex_number(value: float) -> str:
    """LaTeX of a number with three digits, with a power of ten if it is very small or large."""
    digits, _, power = f"{value:z.3g}".partition("e")
    return rf"{digits}\cdot10^{{{int(power)}}}" if power else digits


def sources(text: str) -> None:
    """Draw the sources of a section as a caption."""
    st.caption(f"Source: {text}")
