"""Drawings: their text says the same as plotly's figure of them."""

import base64
import json

import numpy as np
import pytest

from bnlab.charts.figures import Drawing, Trace


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
def test_arrays_travel_in_single_precision(values: list[float]) -> None:
    trace = Trace(type="scatter", x=np.array(values), y=np.array(values, np.float32)[::-1])
    read = json.loads(trace.json)
    np.testing.assert_allclose(unpacked(read["x"]), np.array(values, np.float32), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(unpacked(read["y"]), np.array(values, np.float32)[::-1], rtol=1e-3, atol=1e-6)


def test_even_values_travel_as_three_numbers() -> None:
    read = json.loads(Trace(x=np.linspace(0.2, 10, 150)).json)
    assert read["x"] == {"even": [pytest.approx(0.2), pytest.approx(9.8 / 149), 150]}


def test_a_drawings_text_and_figure_say_the_same() -> None:
    drawing = Drawing([Trace(type="scatter", uid="a", y=np.array([1.0, 5.0, 2.0]))], {"title": {"text": "Loss"}})
    read = json.loads(drawing.json(uirevision="loss"))
    assert read["layout"] == {"uirevision": "loss", "title": {"text": "Loss"}}
    (trace,) = drawing.figure().data
    assert (trace.uid, read["data"][0]["uid"]) == ("a", "a")
    np.testing.assert_array_equal(unpacked(read["data"][0]["y"]), trace.y)
    assert drawing.figure().layout.title.text == "Loss"


def test_a_layouts_own_uirevision_counts() -> None:
    assert json.loads(Drawing([], {"uirevision": "mine"}).json(uirevision="chart"))["layout"]["uirevision"] == "mine"
