"""The drawing of a layer stack: well-formed, small enough, BN in the variant's color, and the same in words."""

import math
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bnlab.charts.network_diagram import HEIGHT, ROOT_FONT_SIZE, WIDTH, network_svg, network_text
from bnlab.charts.style import COLORS, Style
from bnlab.specs.choices import ACTIVATIONS
from bnlab.specs.network import describe_network
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from tests.charts.test_style import contrast
from tests.spec_strategies import specs

STYLE = Style("With BN", "#0072B2", "dash")
SVG = "{http://www.w3.org/2000/svg}"


def drawing(spec: RunSpec, style: Style = STYLE) -> ET.Element:
    div = ET.fromstring(network_svg(describe_network(spec), style))
    return div[0]


def boxes(svg: ET.Element) -> list[tuple[ET.Element, ET.Element]]:
    """Each box's rectangle with its text."""
    return list(zip(svg.iter(f"{SVG}rect"), svg.iter(f"{SVG}text"), strict=True))


def texts(svg: ET.Element) -> list[str]:
    return [str(text.text) for _, text in boxes(svg)]


def box_rows(svg: ET.Element) -> list[list[str]]:
    rows: dict[str, list[str]] = {}
    for rectangle, text in boxes(svg):
        rows.setdefault(rectangle.attrib["y"], []).append(str(text.text))
    return list(rows.values())


def test_network_text_of_the_notebooks_networks() -> None:
    texts_by_label = {v.label: network_text(describe_network(v.spec)) for v in PRESETS["notebook"].variants}
    assert texts_by_label == {
        "Baseline": "Flatten → Dense 300 → Leaky ReLU → Dense 100 → Leaky ReLU → Dense 10 → Softmax",
        "Approach 1 (as printed)": "Flatten → BN → Dense 300 → BN → Dense 100 → BN → Dense 10 → Softmax",
        "Approach 1 (as described)": (
            "Flatten → BN → Dense 300 → Leaky ReLU → BN → Dense 100 → Leaky ReLU → BN → Dense 10 → Softmax"
        ),
        "Approach 2": "Flatten → BN → Dense 300 → BN → ReLU → Dense 100 → BN → ReLU → Dense 10 → Softmax",
    }


def test_a_row_for_each_layer_with_weights() -> None:
    assert box_rows(drawing(PRESETS["notebook"].variants[3].spec)) == [
        ["Flatten", "BN"],
        ["Dense 300", "BN", "ReLU"],
        ["Dense 100", "BN", "ReLU"],
        ["Dense 10", "Softmax"],
    ]


def test_only_bn_has_the_styles_color() -> None:
    spec = RunSpec(placement="after_activation", input_normalization=True)
    filled = {text.text for rectangle, text in boxes(drawing(spec)) if rectangle.get("fill") == STYLE.color}
    assert filled == {"BN"}
    assert STYLE.color not in network_svg(describe_network(RunSpec()), STYLE)


@pytest.mark.parametrize("color", COLORS)
def test_bn_has_contrast_on_every_color(color: str) -> None:
    svg = drawing(RunSpec(placement="before_activation"), Style("A", color, "solid"))
    inks = {text.attrib["fill"] for _, text in boxes(svg) if text.text == "BN"}
    assert len(inks) == 1
    assert contrast(inks.pop(), color) >= 4.5


def test_other_colors_are_the_pages() -> None:
    svg = drawing(RunSpec())
    colors = {element.get(name) for element in svg.iter() for name in ("fill", "stroke")}
    assert colors <= {None, "none", "currentColor"}


def test_equal_layers_are_drawn_once() -> None:
    network = RunSpec(hidden_units=(100,) * 20, activation="sigmoid", placement="before_activation")
    assert box_rows(drawing(network)) == [
        ["Flatten"],
        ["20 ×", "Dense 100", "BN", "Sigmoid"],
        ["Dense 10", "Softmax"],
    ]
    assert network_text(describe_network(network)) == "Flatten → 20 × (Dense 100 → BN → Sigmoid) → Dense 10 → Softmax"


def test_deep_networks_are_condensed() -> None:
    network = RunSpec(hidden_units=(60, 50, *[40] * 30, *range(20, 3, -1)), activation="linear")
    assert box_rows(drawing(network)) == [
        ["Flatten"],
        ["Dense 60"],
        ["Dense 50"],
        ["… 46 more hidden layers"],
        ["Dense 4"],
        ["Dense 10", "Softmax"],
    ]


def test_a_wider_layer_is_drawn_wider() -> None:
    def width(units: int) -> float:
        rectangle = next(r for r, t in boxes(drawing(RunSpec(hidden_units=(units,)))) if t.text == f"Dense {units}")
        return float(rectangle.attrib["width"])

    widths = [width(units) for units in (10, 100, 400, 2_000)]
    assert widths == sorted(set(widths))


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "linear"])
def test_activations_have_their_titles(activation: str) -> None:
    assert ACTIVATIONS[activation].title in texts(drawing(RunSpec(activation=activation)))


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))) | st.just('<b> & "q"\n\n*x* $y$'))
def test_any_name_is_escaped(name: str) -> None:
    markup = network_svg(describe_network(RunSpec()), Style(name, "#0072B2", "solid"))
    assert "\n" not in markup
    svg = ET.fromstring(markup)[0]
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-label"] == str(svg[0].text)
    assert svg[0].tag == f"{SVG}title"
    assert str(svg[0].text) == f"{' '.join(name.split())}: {network_text(describe_network(RunSpec()))}"


WIDEST = RunSpec(
    hidden_units=(2048,) * 20,
    activation="leaky_relu",
    placement="before_activation",
    input_normalization=True,
    noise=True,
)


@given(specs())
@example(WIDEST)
@example(WIDEST.model_copy(update={"architecture": "conv"}))
def test_every_network_fits_its_card(spec: RunSpec) -> None:
    svg = drawing(spec)
    left, top, width, height = (float(number) for number in svg.attrib["viewBox"].split())
    assert (left, top) == (0, 0)
    assert height <= HEIGHT
    # Only the widest rows are made smaller; their text, 15 pixels, stays above 11.
    assert WIDTH <= width < WIDTH * 15 / 11
    for rectangle, text in boxes(svg):
        x, y, w, h = (float(rectangle.attrib[name]) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w < width
        assert 0 <= y <= y + h <= height
        assert w >= 6 * len(str(text.text))
        assert math.isclose(float(text.attrib["x"]), x + w / 2, abs_tol=0.1)


def test_diagram_grows_with_the_pages_font() -> None:
    svg = drawing(RunSpec())
    assert svg.attrib["style"].startswith("max-width:16rem;"), "272 pixels where the page's type is 17 pixels high"
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text())
    assert config["theme"]["baseFontSize"] == ROOT_FONT_SIZE


def test_convolutions_and_noise_are_drawn() -> None:
    spec = RunSpec(architecture="conv", hidden_units=(16, 32), placement="after_activation", noise=True)
    layers = "Conv2D 16 → ReLU → BN → Noise → Conv2D 32 → ReLU → BN → Noise → Flatten → Dense 10 → Softmax"
    assert network_text(describe_network(spec)) == f"Reshape → {layers}"
