"""How variants look."""

import colorsys
import re
from pathlib import Path

import plotly.graph_objects as go
import pytest

import bnlab
from bnlab.charts.figures import message_figure, plain_figure
from bnlab.charts.style import COLOR_NAMES, COLORS, DASHES, SAMPLE_WIDTH, Style, sample_svg, style_of, styles_of

# Where each name lies on the wheel of colors, in degrees; grey lies nowhere.
HUES = {
    "Vermillion": 27, "Brown": 39, "Orange": 41, "Green": 164, "Sky blue": 202, "Blue": 202, "Purple": 327,
}  # fmt: skip


def contrast(color: str, background: str) -> float:
    """WCAG's contrast ratio of two #rrggbb colors."""
    lighter, darker = sorted((luminance(color), luminance(background)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_eight_names_look_different_and_later_ones_repeat() -> None:
    names = [f"variant {i}" for i in range(10)]
    styles = list(styles_of(names).values())
    assert [style.name for style in styles] == names
    looks = [(style.color, style.dash) for style in styles]
    assert len(set(looks[:8])) == len({color for color, _ in looks[:8]}) == 8
    assert looks[8:] == looks[:2]


def test_every_color_has_a_dash_and_the_name_it_looks_like() -> None:
    assert len(COLOR_NAMES) == len(set(COLOR_NAMES)) == len(COLORS) == len(set(COLORS)) == len(DASHES)
    for name, color in zip(COLOR_NAMES, COLORS, strict=True):
        red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
        assert (saturation < 0.1) == (name == "Gray")
        assert name == "Gray" or abs(360 * hue - HUES[name]) < 1
    light = dict(zip(COLOR_NAMES, map(luminance, COLORS), strict=True))
    assert light["Sky blue"] > light["Blue"]
    assert light["Orange"] > light["Brown"]


def test_style_depends_on_the_color_index() -> None:
    assert style_of("A", 5) == Style("A", COLORS[5], DASHES[5])
    assert [style_of(name, index) for index, name in enumerate("abc")] == list(styles_of("abc").values())


def test_a_uid_is_a_css_class_of_the_name_alone() -> None:
    names = ["A", "a", "A ", "Approach 1 (as printed)", "γ", "1"]
    uids = [style_of(name, 0).uid for name in names]
    assert len(set(uids)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9]+", uid) for uid in uids)
    assert style_of("A", 1).uid == uids[0], "another color is the same line"


def test_plain_figure_keeps_traces_and_layout() -> None:
    trace, layout = {"type": "scatter", "uid": "a", "y": [1, 2]}, {"title": {"text": "Loss"}}
    figure = plain_figure([trace], layout)
    assert figure.to_dict()["data"] == [trace]
    assert figure.to_dict()["layout"]["title"] == layout["title"]
    assert go.Figure(figure.to_dict()).data[0].y == (1, 2)


def test_no_names_no_styles() -> None:
    assert styles_of([]) == {}


def test_a_style_is_a_plotly_line_and_a_fill() -> None:
    style = Style("A", "#0A10FF", "dot")
    assert style.line(3) == {"color": "#0A10FF", "dash": "dot", "width": 3}
    assert style.fill(0.25) == "rgba(10,16,255,0.25)"


@pytest.mark.parametrize("style", styles_of([str(i) for i in range(len(COLORS))]).values(), ids=lambda s: s.color)
def test_plotly_accepts_every_style(style: Style) -> None:
    go.Figure(go.Scatter(line=style.line(), fillcolor=style.fill(0.5)))


def test_dashes_are_distinct() -> None:
    assert len(set(DASHES)) == 8


@pytest.mark.parametrize("style", styles_of([str(i) for i in range(len(COLORS))]).values(), ids=lambda s: s.dash)
def test_sample_shows_the_whole_dash_pattern(style: Style) -> None:
    (drawn,) = re.findall("<line [^>]*>", sample_svg(style))
    assert f'stroke="{style.color}"' in drawn
    dashes = re.search('stroke-dasharray="([^"]*)"', drawn)
    assert (dashes[1] if dashes else "solid") == style.line()["dash"]
    assert dashes is None or sum(float(length.removesuffix("px")) for length in dashes[1].split(",")) < SAMPLE_WIDTH


@pytest.mark.parametrize("background", ["#ffffff", "#11151a"])
@pytest.mark.parametrize("color", COLORS[:4])
def test_first_colors_have_contrast_in_both_themes(color: str, background: str) -> None:
    assert contrast(color, background) > 2.9


def test_message_figure_has_only_its_message() -> None:
    figure = message_figure("Loss", "Nothing yet")
    assert not figure.data
    assert figure.layout.title.text == "Loss"
    assert [note.text for note in figure.layout.annotations] == ["Nothing yet"]
    assert not figure.layout.xaxis.visible
    assert not figure.layout.yaxis.visible


def test_no_other_module_writes_a_color_of_the_palette_out() -> None:
    package = Path(bnlab.__file__).parent
    channels = [",".join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5)) for color in COLORS]
    written_out = re.compile("|".join([*COLORS, *channels]), re.IGNORECASE)
    sources = [path for path in package.rglob("*.py") if path.name != "style.py"]
    assert [path.name for path in sources if written_out.search(path.read_text().replace(" ", ""))] == []
