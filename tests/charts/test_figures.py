"""Drawings, their JSON, and logarithmic axes."""

import base64
import json

import numpy as np
import pytest

from bnlab.charts.figures import MAX_POWERS, Drawing, Trace, log_axis


def unpacked(value: dict) -> np.ndarray:
    """As static/live_chart.js and plotly.js read it."""
    if "even" in value:
        start, step, length = value["even"]
        return np.float32(start) + np.float32(step) * np.arange(length)
    assert value["dtype"] == "f4"
    return np.frombuffer(base64.b64decode(value["bdata"]), "<f4")


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1],
        [1, 2],
        [0, 0.1, 0.2, 0.3],
        [5, 4, 3],
        [1, 2, 4],
        [0, 0, 0],
        [1, np.nan, 3],
        [1, np.inf],
        [0, 3.4e38, -3.4e38],
    ],
)
def test_arrays_are_sent_in_single_precision(values: list[float]) -> None:
    trace = Trace(type="scatter", x=np.array(values), y=np.array(values, np.float32)[::-1])
    read = json.loads(trace.json)
    np.testing.assert_allclose(unpacked(read["x"]), np.array(values, np.float32), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(unpacked(read["y"]), np.array(values, np.float32)[::-1], rtol=1e-3, atol=1e-6)


def test_even_values_are_sent_as_three_numbers() -> None:
    read = json.loads(Trace(x=np.linspace(0.2, 10, 150)).json)
    assert read["x"] == {"even": [pytest.approx(0.2), pytest.approx(9.8 / 149), 150]}


def test_json_and_figure_of_a_drawing_agree() -> None:
    drawing = Drawing([Trace(type="scatter", uid="a", y=np.array([1.0, 5.0, 2.0]))], {"title": {"text": "Loss"}})
    read = json.loads(drawing.json(uirevision="loss"))
    assert read["layout"] == {"uirevision": "loss", "title": {"text": "Loss"}}
    (trace,) = drawing.figure().data
    assert (trace.uid, read["data"][0]["uid"]) == ("a", "a")
    np.testing.assert_array_equal(unpacked(read["data"][0]["y"]), trace.y)
    assert drawing.figure().layout.title.text == "Loss"


def test_uirevision_of_the_layout_has_precedence() -> None:
    assert json.loads(Drawing([], {"uirevision": "mine"}).json(uirevision="chart"))["layout"]["uirevision"] == "mine"


@pytest.mark.parametrize("low", [1e-30, 1e-3, 2.0, 5e8])
@pytest.mark.parametrize("factor", [100.0, 150.0, 1e5, 1e9])
def test_log_axis_over_decades_is_labelled_with_powers_of_ten(low: float, factor: float) -> None:
    axis = log_axis(np.array([low, low * factor * 1.0001]))
    assert axis["type"] == "log"
    assert isinstance(axis["dtick"], int)
    assert 1 <= np.log10(factor) / axis["dtick"] <= MAX_POWERS


@pytest.mark.parametrize("values", [[3.0], [2.0, 2.0], [1e9, 9e10]])
def test_log_axis_over_less_is_labelled_with_numbers(values: list[float]) -> None:
    axis = log_axis(np.array(values))
    assert axis["tickformat"] == "~g", "a label 5 between powers of ten says nothing by itself"
    assert "dtick" not in axis
