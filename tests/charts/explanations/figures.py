"""What every explaining figure must be."""

import json

import plotly.graph_objects as go
import pytest

from bnlab.ui.live_chart import figure_json


def assert_sound(figure: go.Figure) -> None:
    """Plotly knows every property, each trace has a name of its own, and nothing in it breaks a browser's JSON."""
    go.Figure(figure.to_dict())
    names = [trace.uid for trace in figure.data]
    assert all(names)
    assert len(set(names)) == len(names)
    json.loads(figure_json(figure, uirevision="test"), parse_constant=pytest.fail)


def assert_says(figure: go.Figure, message: str) -> None:
    """Nothing but the message."""
    assert not figure.data
    assert [note.text for note in figure.layout.annotations] == [message]
