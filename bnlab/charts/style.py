"""How the variants of a comparison look, the same in every chart."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bnlab.charts.formatting import escape_plotly

# Okabe and Ito's color-blind-safe colors; the first ones have enough contrast on white and on black.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#A6761D")
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, GREY, BROWN = COLORS
COLOR_NAMES = ("Blue", "Vermillion", "Green", "Purple", "Orange", "Sky blue", "Gray", "Brown")
# Valid in Plotly and in SVG; each pattern repeats within 30 px, the length of a legend's line.
DASHES = (
    "solid",
    "8px,4px",
    "3px,3px",
    "10px,3px,3px,3px",
    "18px,5px",
    "10px,3px,3px,3px,3px,3px",
    "4px,9px",
    "15px,3px,6px,3px",
)
SAMPLE_WIDTH = 34  # px


@dataclass(frozen=True)
class Style:
    """A variant's name, color and dash; the dash alone identifies it for readers who see no color."""

    name: str
    color: str
    dash: str

    @property
    def uid(self) -> str:
        """Identifies the variant's traces; plotly makes a CSS class of it, so it cannot be the name."""
        return "v" + hashlib.sha256(self.name.encode()).hexdigest()[:10]

    @property
    def trace_name(self) -> str:
        """The name escaped for Plotly."""
        return escape_plotly(self.name)

    def line(self, width: float = 2.5) -> dict[str, object]:
        """Plotly's line in this style; `width` in px."""
        return {"color": self.color, "dash": self.dash, "width": width}

    def fill(self, opacity: float) -> str:
        """The color with an opacity from 0 to 1, as CSS."""
        return translucent(self.color, opacity)


def translucent(color: str, opacity: float) -> str:
    """A color, #rrggbb, with an opacity from 0 to 1, as CSS."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def style_of(name: str, color: int) -> Style:
    """The style of a variant; `color` is an index of COLORS, which repeat."""
    return Style(name, COLORS[color % len(COLORS)], DASHES[color % len(DASHES)])


def styles_of(names: Sequence[str]) -> dict[str, Style]:
    """A style for each name, in the order of COLORS."""
    return {name: style_of(name, index) for index, name in enumerate(names)}


def sample_svg(style: Style) -> str:
    """A sample of the variant's line for a legend. Draw it with `st.markdown`; `st.html` removes SVG."""
    line = style.line(4)
    dashes = "" if style.dash == "solid" else f' stroke-dasharray="{line["dash"]}"'
    return (
        f'<svg width="{SAMPLE_WIDTH}" height="12" aria-hidden="true" style="vertical-align:middle;margin-right:0.4em">'
        f'<line x1="0" x2="{SAMPLE_WIDTH}" y1="6" y2="6" stroke="{line["color"]}" stroke-width="{line["width"]}"'
        f"{dashes}/></svg>"
    )
