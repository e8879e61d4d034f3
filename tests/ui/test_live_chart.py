"""What a live chart sends to the browser."""

import json
import math
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from bnlab.ui.live_chart import figure_json

TICKING = Path(__file__).parent / "browser" / "apps" / "ticking.py"


def sent(figure: go.Figure) -> dict[str, dict]:
    return json.loads(figure_json(figure, uirevision="loss"))


def test_figure_leaves_its_template_behind() -> None:
    assert "template" not in sent(go.Figure())["layout"]


def test_figure_leaves_its_animations_behind() -> None:
    figure = go.Figure(layout={"transition": {"duration": 500}}, frames=[go.Frame(data=[])])
    assert set(sent(figure)) == {"data", "layout"}
    assert "transition" not in sent(figure)["layout"]


def test_figure_keeps_what_it_sets_itself() -> None:
    layout = sent(go.Figure(layout={"font": {"color": "red"}, "xaxis": {"type": "log"}}))["layout"]
    assert layout["font"] == {"color": "red"}
    assert layout["xaxis"] == {"type": "log"}


def test_traces_keep_their_uid() -> None:
    assert sent(go.Figure(go.Scatter(uid="run-7", y=[1, 2])))["data"][0]["uid"] == "run-7"


@pytest.mark.parametrize(("layout", "expected"), [({}, "loss"), ({"uirevision": "mine"}, "mine")])
def test_uirevision_is_the_key_unless_the_figure_has_one(layout: dict, expected: str) -> None:
    assert sent(go.Figure(layout=layout))["layout"]["uirevision"] == expected


def test_arrays_travel_as_typed_arrays() -> None:
    y = sent(go.Figure(go.Scatter(y=np.ones(4, dtype=np.float32))))["data"][0]["y"]
    assert y["dtype"] == "f4"


def test_a_diverged_value_in_a_list_is_a_gap() -> None:
    assert sent(go.Figure(go.Scatter(y=[1.0, math.nan, 2.0])))["data"][0]["y"] == [1.0, None, 2.0]


def test_the_callers_figure_is_left_alone() -> None:
    figure = go.Figure(go.Scatter(y=[1, 2]))
    before = figure.to_json()
    figure_json(figure, uirevision="loss")
    assert figure.to_json() == before


def test_each_key_is_one_component_that_carries_its_description() -> None:
    app = AppTest.from_file(str(TICKING)).run(timeout=60)
    assert not app.exception
    data = {chart["chart"]: chart for chart in map(component_data, app.get("bidi_component"))}
    assert set(data) == {"loss", "still"}
    assert data["loss"]["alt"] == "Training loss of three runs"
    assert data["still"]["alt"] == "Training loss", "the title stands in for a missing description"
    assert data["loss"]["plotly"].endswith("/plotly.min.js")


def test_identity_does_not_depend_on_the_figure() -> None:
    app = AppTest.from_file(str(TICKING)).run(timeout=60)
    first = [chart.proto.id for chart in app.get("bidi_component")]
    app.run()
    assert [chart.proto.id for chart in app.get("bidi_component")] == first


def component_data(element: object) -> dict[str, str]:
    return json.loads(element.proto.json)  # type: ignore[attr-defined]
