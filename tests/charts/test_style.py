"""How variants look."""

import plotly.graph_objects as go
import pytest

from bnlab.charts.style import COLOURS, DASHES, Style, message_figure, styles_of


def contrast(colour: str, background: str) -> float:
    """WCAG's contrast ratio of two #rrggbb colours."""
    lighter, darker = sorted((luminance(colour), luminance(background)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_eight_names_look_different_and_later_ones_repeat() -> None:
    names = [f"variant {i}" for i in range(10)]
    styles = list(styles_of(names).values())
    assert [style.name for style in styles] == names
    looks = [(style.colour, style.dash) for style in styles]
    assert len(set(looks[:8])) == len({colour for colour, _ in looks[:8]}) == 8
    assert looks[8:] == looks[:2]


def test_no_names_no_styles() -> None:
    assert styles_of([]) == {}


def test_a_style_is_a_plotly_line_and_a_fill() -> None:
    style = Style("A", "#0A10FF", "dot")
    assert style.line(3) == {"color": "#0A10FF", "dash": "dot", "width": 3}
    assert style.fill(0.25) == "rgba(10,16,255,0.25)"


@pytest.mark.parametrize("style", styles_of([str(i) for i in range(len(COLOURS))]).values(), ids=lambda s: s.colour)
def test_plotly_takes_every_style(style: Style) -> None:
    go.Figure(go.Scatter(line=style.line(), fillcolor=style.fill(0.5)))


def test_the_first_four_need_no_colour_to_be_told_apart() -> None:
    assert len(set(DASHES[:4])) == 4


@pytest.mark.parametrize("background", ["#ffffff", "#11151a"])
@pytest.mark.parametrize("colour", COLOURS[:4])
def test_the_first_four_stand_out_on_both_of_the_themes(colour: str, background: str) -> None:
    assert contrast(colour, background) > 2.9


def test_a_message_figure_says_its_message_and_draws_nothing_else() -> None:
    figure = message_figure("Loss", "Nothing yet")
    assert not figure.data
    assert figure.layout.title.text == "Loss"
    assert [note.text for note in figure.layout.annotations] == ["Nothing yet"]
    assert not figure.layout.xaxis.visible
    assert not figure.layout.yaxis.visible
