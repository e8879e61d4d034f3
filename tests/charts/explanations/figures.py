"""Checks of explaining figures."""

import plotly.graph_objects as go

from tests.charts.snapshots import assert_drawable


def assert_sound(figure: go.Figure) -> None:
    """The figure is valid and has traces."""
    assert_drawable(figure)
    assert figure.data


def assert_says(figure: go.Figure, message: str) -> None:
    """The figure has nothing but the message."""
    assert not figure.data
    assert [note.text for note in figure.layout.annotations] == [message]
