"""What every explaining figure must be."""

import plotly.graph_objects as go

from tests.charts.snapshots import assert_drawable


def assert_sound(figure: go.Figure) -> None:
    """What every figure must be, as none of these is a live one's empty beginning: something is in it."""
    assert_drawable(figure)
    assert figure.data


def assert_says(figure: go.Figure, message: str) -> None:
    """Nothing but the message."""
    assert not figure.data
    assert [note.text for note in figure.layout.annotations] == [message]
