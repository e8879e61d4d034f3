"""Figures of several layers on equal axes."""

import numpy as np
import plotly.graph_objects as go
import pytest

from bnlab.charts.figures import initial_range, message_figure, plain_figure
from bnlab.charts.shared_axes import EXTENT, share_axis
from tests.charts.snapshots import assert_drawable


def figure(*values: float, **axis: object) -> go.Figure:
    y = np.array(values, np.float32)
    return plain_figure([{"type": "scatter", "uid": "run", "x": np.arange(len(y)), "y": y}], {"yaxis": axis})


def limits(figure: go.Figure) -> tuple[float, float]:
    options = figure.layout.yaxis.autorangeoptions
    return options.minallowed, options.maxallowed


def test_a_linear_axis_spans_the_values_of_all() -> None:
    shared = share_axis([figure(0, 1), figure(-3, 2)])
    assert limits(shared[0]) == limits(shared[1]) == pytest.approx((-3.5, 2.5))
    for drawn in shared:
        assert_drawable(drawn)
    assert share_axis([figure(0, 1)])[0].layout.yaxis.autorangeoptions.minallowed is None, "nothing to share"


def test_a_range_of_a_figure_counts_instead_of_its_values() -> None:
    shared = share_axis([figure(-1e9, 1e9, **initial_range(-1, 1)), figure(0, 3)])
    assert limits(shared[0]) == limits(shared[1]) == pytest.approx((-1.5, 3.5))


def test_a_logarithmic_axis_includes_the_values_of_all() -> None:
    shared = share_axis([figure(1, 10, type="log"), figure(1e-4, 1, np.nan, type="log")])
    for drawn in shared:
        assert drawn.layout.yaxis.type == "log"
        *_, extent = drawn.data
        assert (extent.uid, extent.marker.opacity, extent.hoverinfo) == (EXTENT, 0, "skip")
        assert list(extent.y) == pytest.approx([1e-4, 10])
        assert_drawable(drawn)


def test_messages_stay_and_values_that_are_not_finite_do_not_count() -> None:
    message = message_figure("", "Nothing")
    shared = share_axis([message, figure(0, 1), figure(np.nan), figure(5)])
    assert shared[0] is message
    assert limits(shared[3]) == pytest.approx((0, 5.5)), "no value is negative"
