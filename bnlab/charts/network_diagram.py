"""A small diagram of a network's layers, as SVG in the page's colors."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from bnlab.charts.style import Style
from bnlab.specs.choices import ACTIVATIONS
from bnlab.specs.network import Layer, Network

Kind = Literal["layer", "normalization", "activation", "text"]

WIDTH, HEIGHT = 272, 200  # px: the least width, the greatest height
MAX_ROWS = 6
# All in px. ROW_HEIGHT is the distance from one row to the next, ROW_GAP the part of it between their boxes.
LEFT_MARGIN, BOX_GAP, ROW_GAP, ROW_HEIGHT = 14, 6, 12, 46
FONT_SIZE, CHARACTER_WIDTH = 15, 7.2
ROOT_FONT_SIZE = 17
"""The page's font size in px (.streamlit/config.toml); a diagram grows with it, as on a projector."""


@dataclass(frozen=True)
class Box:
    """A layer or a part of it in the diagram; `width` in px."""

    text: str
    kind: Kind
    width: int


@dataclass(frozen=True)
class Row:
    """A layer with weights and the layers up to the next one; `count` equal neighbours are drawn as one."""

    boxes: tuple[Box, ...]
    count: int = 1


def network_svg(network: Network, style: Style) -> str:
    """The layers from the input down: one row per layer with weights, normalization filled with the style's color.

    At most 200 px high, however deep the network: equal rows are drawn once, and of many different ones the first and
    the last. Text and lines have the color of the text around. Draw it with `st.markdown` and
    `unsafe_allow_html=True`; `st.html` removes SVG.
    """
    rows = [_row_boxes(row) for row in _condense(_rows(network))]
    row_height = min(ROW_HEIGHT, HEIGHT / len(rows))
    ends = [LEFT_MARGIN + sum(box.width + BOX_GAP for box in boxes) - BOX_GAP for boxes in rows]
    width, height = max(WIDTH, *(end + 10 for end in ends)), row_height * len(rows)
    label = escape(f"{' '.join(style.name.split())}: {network_text(network)}")
    label = label.replace(":", "&#58;")  # Streamlit looks for icons, as in ":material/home:", before anything else
    middles = [row_height * (index + 0.5) for index in range(len(rows))]
    parts = [_row_svg(boxes, middle, row_height - ROW_GAP, style) for boxes, middle in zip(rows, middles, strict=True)]
    parts += [_connector_svg(end, middle, row_height) for end, middle in zip(ends[:-1], middles, strict=False)]
    # The div makes it one block of HTML, which Markdown does not change; its margin is a paragraph's.
    return (
        '<div style="margin-bottom:1rem"><svg xmlns="http://www.w3.org/2000/svg" width="100%" '
        f'role="img" aria-label="{label}" '
        f'viewBox="0 0 {width:g} {height:g}" style="max-width:{width / ROOT_FONT_SIZE:g}rem;display:block" '
        f'font-size="{FONT_SIZE}" text-anchor="middle" fill="currentColor">'
        f"<title>{label}</title>{''.join(parts)}</svg></div>"
    )


def network_text(network: Network) -> str:
    """The layers as text: "Flatten → BN → Dense 300 → ReLU → … → Dense 10 → Softmax"."""
    parts = []
    for row in _condense(_rows(network)):
        text = " → ".join(box.text for box in row.boxes)
        parts.append(text if row.count == 1 else f"{row.count} × ({text})")
    return " → ".join(parts)


def _rows(network: Network) -> list[Row]:
    """One row per layer with weights, and one for the layers before the first; equal neighbours are merged."""
    numbers = itertools.accumulate(_begins_row(layer) for layer in network.layers)
    boxes: dict[int, tuple[Box, ...]] = {}
    for number, layer in zip(numbers, network.layers, strict=True):
        boxes[number] = (*boxes.get(number, ()), *_boxes(layer))
    return [Row(row, len(list(equal))) for row, equal in itertools.groupby(boxes.values())]


def _begins_row(layer: Layer) -> bool:
    return layer.keras_class == "Flatten" or any(variable.name == "kernel" for variable in layer.variables)


def _condense(rows: Sequence[Row]) -> list[Row]:
    """At most MAX_ROWS rows: the first, the number of layers that are left out, and the last."""
    if len(rows) <= MAX_ROWS:
        return list(rows)
    first, middle, last = rows[: MAX_ROWS - 3], rows[MAX_ROWS - 3 : -2], rows[-2:]
    return [*first, Row((_text_box(f"… {sum(row.count for row in middle)} more hidden layers"),)), *last]


def _boxes(layer: Layer) -> Iterator[Box]:
    if layer.normalizer is not None:
        name = layer.normalizer.short
        yield Box(name, "normalization", max(40, _text_width(name) + 14))
    elif layer.keras_class == "BatchNoise":
        yield Box("Noise", "activation", _text_width("Noise") + 8)
    elif title := _activation_title(layer):
        yield Box(title, "activation", _text_width(title) + 14)
    else:
        text = " ".join(
            [layer.keras_class, *(str(layer.config[key]) for key in ("units", "filters") if key in layer.config)]
        )
        width_by_units = 38 + 7.5 * math.log2(layer.output_shape[-1])
        yield Box(text, "layer", max(round(width_by_units), _text_width(text) + 10))
        if "activation" in layer.config:
            text = layer.config["activation"].capitalize()
            yield Box(text, "activation", _text_width(text) + 14)


def _activation_title(layer: Layer) -> str:
    """The title of an activation layer; empty for other layers."""
    layer_key = layer.keras_class, layer.config
    return next((choice.title for choice in ACTIVATIONS.values() if (choice.layer, choice.config) == layer_key), "")


def _row_boxes(row: Row) -> tuple[Box, ...]:
    return row.boxes if row.count == 1 else (_text_box(f"{row.count} ×"), *row.boxes)


def _text_box(text: str) -> Box:
    return Box(text, "text", _text_width(text))


def _row_svg(boxes: Sequence[Box], middle: float, height: float, style: Style) -> str:
    parts, x = [], float(LEFT_MARGIN)
    for box in boxes:
        parts.append(_box_svg(box, x, middle, height, style))
        x += box.width + BOX_GAP
        if box.kind != "text" and box is not boxes[-1]:
            parts.append(_line_svg(f"M{x - BOX_GAP:g} {middle:g}h{BOX_GAP}"))
    return "".join(parts)


def _box_svg(box: Box, x: float, middle: float, height: float, style: Style) -> str:
    shape = {
        "layer": 'rx="3" fill="none" stroke="currentColor" stroke-opacity="0.6"',
        "normalization": f'rx="3" fill="{style.color}"',
        "activation": f'rx="{height / 2:g}" fill-opacity="0.12"',
        "text": 'fill="none"',
    }[box.kind]
    font = f'font-weight="700" fill="{_text_color(style.color)}"' if box.kind == "normalization" else ""
    return (
        f'<rect x="{x:g}" y="{middle - height / 2:g}" width="{box.width:g}" height="{height:g}" {shape}/>'
        # A baseline a third of the font size below the middle centres the letters.
        f'<text x="{x + box.width / 2:g}" y="{middle + FONT_SIZE / 3:g}" {font}>{escape(box.text)}</text>'
    )


def _connector_svg(end: float, middle: float, row_height: float) -> str:
    """From the end of one row to an arrow at the start of the next."""
    half = row_height / 2
    return _line_svg(f"M{end:g} {middle:g}h5v{half:g}H4v{half:g}h{LEFT_MARGIN - 6}m-4 -4l4 4l-4 4")


def _line_svg(path: str) -> str:
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.5" stroke-width="1.5"/>'


def _text_width(text: str) -> int:
    return round(CHARACTER_WIDTH * len(text))


def _text_color(background: str) -> str:
    """White, or black where white has a contrast below 4.5 (WCAG); both colors as #rrggbb."""
    channels = [int(background[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) >= 4.5 else "#000000"
