"""static/heat_map.js in Chromium: what it makes of a document is the figure that Python has made."""

import math
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from bnlab.charts.distributions import VARIABLE_TITLES
from bnlab.charts.heatmaps import heat_map_figure, heat_map_frame, image_figure, image_frame
from bnlab.charts.layer_charts import Chart
from bnlab.live.events import encode
from bnlab.live.layers import chart_document
from tests.charts.snapshots import snapshots_of
from tests.live.test_events import sent

pytestmark = pytest.mark.browser

DRAW = """async (document) => {
  const { merge } = await import('/live_stream.js');
  const { heatMapTrace } = await import('/heat_map.js');
  const { order, traces } = merge({}, document);
  const plain = (value) => ArrayBuffer.isView(value) || Array.isArray(value) ? Array.from(value, plain)
    : Number.isNaN(value) ? null : value;
  return order.map((uid) => Object.fromEntries(
    Object.entries(heatMapTrace(traces[uid])).map(([name, value]) => [name, plain(value)])));
}"""
VALUES = np.random.default_rng(0).normal(1, 0.5, (3, 6))


def figure_of(values: np.ndarray, variable: str, *, is_image: bool) -> Any:
    snapshots = snapshots_of({variable: values.tolist()}, [0, 5, 10])
    if is_image:
        return image_figure(image_frame(snapshots, variable, 10, (2, 3)), variable, 1.5)
    return heat_map_figure(heat_map_frame(snapshots, variable), variable, 5)


@pytest.mark.parametrize("is_image", [False, True])
@pytest.mark.parametrize("variable", VARIABLE_TITLES)
@pytest.mark.parametrize("changed", [{}, {(2, 3): math.nan}, {(2, 0): math.inf, (1, 1): -1, (0, 2): 1e30}])
def test_a_heat_map_is_drawn_from_its_values(
    variable: str, changed: dict[tuple[int, int], float], is_image: bool, scripts: Page
) -> None:
    values = np.abs(VALUES)
    for place, value in changed.items():
        values[place] = value
    figure = figure_of(values, variable, is_image=is_image)
    document = chart_document(Chart(variable, figure, "alt"), "chart")
    assert "z" not in document["traces"]["0"]
    drawn = scripts.evaluate(DRAW, sent(encode(document)))
    assert [trace["uid"] for trace in drawn] == [trace.uid for trace in figure.data]
    for trace, expected in zip(drawn, figure.data, strict=True):
        assert trace["zmin"] == expected.zmin
        for name in ("x", "y"):
            if isinstance((labels := expected[name]), (list, tuple)) and isinstance(labels[0], str):
                assert trace[name] == list(labels)
        for name in ("z", "customdata"):
            if expected[name] is not None:
                np.testing.assert_allclose(np.array(trace[name], float), expected[name], rtol=1e-6, atol=1e-6)


def test_other_traces_stay_as_they_are(scripts: Page) -> None:
    document = {"order": ["0"], "traces": {"0": {"uid": "line", "type": "scatter", "x": [1, 2], "y": [3, 4]}}}
    assert scripts.evaluate(DRAW, document) == [document["traces"]["0"]]  # type: ignore[index]
