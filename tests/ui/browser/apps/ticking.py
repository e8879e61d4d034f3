"""A live chart that grows by one point four times a second, and one that never changes in a tab hidden at first."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from bnlab.ui.live_chart import live_chart

RUNS = ("plain", "before", "after")


def figure(points: int) -> go.Figure:
    x = np.arange(points, dtype=np.float32)
    traces = [
        go.Scatter(uid=name, name=name, x=x, y=np.exp(-x / (20 * (rank + 1))).astype(np.float32), mode="lines")
        for rank, name in enumerate(RUNS)
    ]
    return go.Figure(
        traces,
        {
            "title": {"text": "Training loss"},
            "xaxis": {"title": {"text": "step"}},
            "yaxis": {"title": {"text": "loss"}},
            "hovermode": "x unified",
        },
    )


@st.fragment(run_every=0.25)
def growing() -> None:
    points = st.session_state.points = st.session_state.get("points", 60) + 1
    st.caption(f"{points} points")
    if st.session_state.get("shown", True):
        live_chart(figure(points), key="loss", alt="Training loss of three runs")


st.checkbox("Show the loss", value=True, key="shown")
growing()
words, chart = st.tabs(["Words", "Chart"])
words.write("The other chart is behind the other tab.")
with chart:
    live_chart(figure(60), key="still")
