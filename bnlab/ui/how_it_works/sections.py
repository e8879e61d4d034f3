"""What the sections are made of: a question with its controls beside its figure, and sliders over powers of ten."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

import plotly.graph_objects as go
import streamlit as st

from bnlab.ui.live_chart import live_chart


def question(text: str) -> tuple[AbstractContextManager[object], AbstractContextManager[object]]:
    """Ask `text` and give two places below it: for the controls and, beside or below them, for the figure."""
    st.subheader(text, anchor=False)
    controls, figure = st.columns([2, 3], gap="medium")
    return controls, figure


def framed_chart(figure: go.Figure, *, key: str, alt: str, height: int = 380) -> None:
    """The figure in a box of its own; `key` names it among the charts of this page."""
    with st.container(border=True):
        live_chart(figure, key=f"how-chart-{key}", height=height, alt=alt)


def choose_number(label: str, options: Sequence[float], value: float, *, key: str, note: str | None = None) -> float:
    """A slider over numbers of very different sizes."""
    chosen: float = st.select_slider(label, options, value, format_func=plain_number, key=f"how-{key}", help=note)
    return chosen


def plain_number(value: float) -> str:
    """As people write it: 0.001, and 1e-06 only where zeros would have to be counted."""
    return f"{value:zg}" if value == 0 or abs(value) >= 1e-5 else f"{value:.0e}"


def latex_number(value: float) -> str:
    """Three digits, and a power of ten where there is need of one."""
    digits, _, power = f"{value:z.3g}".partition("e")
    return rf"{digits}\cdot10^{{{int(power)}}}" if power else digits


def sources(text: str) -> None:
    """Where a section's statements come from, in small print."""
    st.caption(f"Source: {text}")
