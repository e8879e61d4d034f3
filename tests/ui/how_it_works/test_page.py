"""The page "How it works", run by Streamlit's AppTest: every control has its effect, and no other."""

import re
from itertools import cycle

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.charts.explanations.placement import FUNCTIONS
from bnlab.specs.choices import PLACEMENTS
from bnlab.ui.how_it_works.page import SECTIONS
from bnlab.ui.how_it_works.widgets import latex_number, plain_number

CHARTS = {"batch", "modes", "moving", "weight", "stages", "bias", "scale", "descent", "folding"}
# One control, the value it is moved to, and the figures that follow it.
MOVES = [
    ("size", 1, {"batch"}),
    ("mean", -1.0, {"batch"}),
    ("spread", 0.001, {"batch"}),
    ("moved", 6.0, {"batch"}),
    ("gamma", -2.0, {"batch"}),
    ("beta", 4.0, {"batch"}),
    ("epsilon", 1.0, {"batch"}),
    ("value", -4.0, {"modes"}),
    ("modes-size", 1, {"modes"}),
    ("momentum", 0.0, {"moving", "weight"}),
    ("steps", 1000, {"moving", "weight"}),
    ("weights", 10.0, {"stages"}),
    ("bias", -3.0, {"bias"}),
    ("factor", 1e-6, {"scale", "descent"}),
    ("rate", 1.0, {"descent"}),
]
PAGE = "from bnlab.ui.how_it_works.page import render_page\nrender_page()\n"


@pytest.fixture
def app() -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=60).run()
    assert not page.exception
    return page


def figures(app: AppTest) -> dict[str, str]:
    """Each chart as it is sent, by the name it has among the page's charts."""
    sent = [chart.proto.json for chart in app.get("bidi_component")]
    return {match[1]: text for text in sent if (match := re.search(r'"chart": ?"how-chart-([a-z]+)"', text))}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_contents_lead_to_every_section(app: AppTest) -> None:
    anchors = [header.proto.anchor for header in app.header]
    assert anchors == [section.anchor for section in SECTIONS]
    contents = next(text.value for text in app.markdown if text.value.startswith("1. "))
    assert re.findall(r"\(#(\w+)\)", contents) == anchors
    assert anchors == ["statistics", "modes", "momentum", "placement", "scale", "folding"]


def test_every_figure_is_there(app: AppTest) -> None:
    assert set(figures(app)) == CHARTS


@pytest.mark.parametrize(("key", "value", "expected"), MOVES, ids=[key for key, *_ in MOVES])
def test_a_slider_moves_its_figures_and_no_others(app: AppTest, key: str, value: float, expected: set[str]) -> None:
    before = figures(app)
    sliders = {slider.key: slider for slider in [*app.slider, *app.select_slider]}
    sliders[f"how-{key}"].set_value(value).run()
    assert not app.exception
    assert changed(before, figures(app)) == expected


@pytest.mark.parametrize(("placement", "activation"), [*zip(cycle(PLACEMENTS), FUNCTIONS, strict=False)])
def test_every_placement_and_every_activation(app: AppTest, placement: str, activation: str) -> None:
    app.pills(key="how-placement").set_value(placement)
    app.pills(key="how-activation").set_value(activation)
    app.run()
    assert not app.exception
    assert set(figures(app)) == CHARTS


def test_another_order_folds_elsewhere_and_a_button_draws_new_numbers(app: AppTest) -> None:
    before, equations = figures(app), [latex.value for latex in app.latex]
    app.pills(key="how-order").set_value("next").run()
    other = figures(app)
    assert changed(before, other) == {"folding"}
    assert [latex.value for latex in app.latex] != equations
    app.button(key="how-new-numbers").click().run()
    assert changed(other, figures(app)) == {"folding"}
    assert not app.exception


def test_new_batch(app: AppTest) -> None:
    before = figures(app)
    app.button(key="how-new-batch").click().run()
    assert changed(before, figures(app)) == {"batch"}
    assert not app.exception


def test_the_equations_have_the_batchs_numbers(app: AppTest) -> None:
    sliders = {slider.key: slider for slider in [*app.slider, *app.select_slider]}
    sliders["how-size"].set_value(1)
    sliders["how-beta"].set_value(2.5)
    sliders["how-epsilon"].set_value(1e-2).run()
    equations = " ".join(latex.value for latex in app.latex)
    assert r"&= 0 \end" in equations, "one example has no variance"
    assert r"\frac{x_i-\mu}{0.1}" in equations
    assert r"1.0\,\hat x_i +2.5" in equations


@pytest.mark.parametrize(
    ("value", "plain", "latex"),
    [
        (0.0, "0", "0"),
        (-0.0, "0", "0"),
        (0.001, "0.001", "0.001"),
        (1e-6, "1e-06", r"1\cdot10^{-6}"),
        (256, "256", "256"),
    ],
)
def test_numbers_as_people_write_them(value: float, plain: str, latex: str) -> None:
    assert (plain_number(value), latex_number(value)) == (plain, latex)


def test_a_projectors_address_is_large_at_first_sight_and_faults_are_told() -> None:
    page = AppTest.from_string(PAGE, default_timeout=60)
    page.query_params["projector"] = "true"
    page.query_params["bad"] = "1"
    page.run()
    assert not page.exception
    assert [fault.value for fault in page.warning] == ["In this page's address: There is nothing called 'bad'."]
    assert page.toggle(key="projector").value, "the type is large where it is on: see style.css"
