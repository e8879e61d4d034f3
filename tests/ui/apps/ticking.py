"""Two live charts that grow by one point each half second, one of them in a tab that starts hidden."""

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


@st.fragment(run_every=0.5)
def charts() -> None:
    points = st.session_state.points = st.session_state.get("points", 60) + 1
    st.caption(f"{points} points")
    shown, hidden = st.tabs(["Loss", "Again"])
    if st.session_state.get("shown", True):
        with shown:
            live_chart(figure(points), key="loss", alt="Training loss of three runs")
    with hidden:
        live_chart(figure(points), key="again")


st.checkbox("Show the loss", value=True, key="shown")
charts()
