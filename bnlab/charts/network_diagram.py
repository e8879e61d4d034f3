"""A small drawing of a network's layers, as an SVG that takes the page's own colours."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from bnlab.charts.style import Style
from bnlab.specs.choices import ACTIVATIONS
from bnlab.specs.network import Layer, Network

Kind = Literal["layer", "normalization", "activation", "words"]

WIDTH, HEIGHT = 272, 200
MAX_ROWS = 6
LEFT, GAP, LINE_GAP, PITCH = 14, 6, 12, 46
SIZE, CHARACTER = 15, 7.2
ROOT_SIZE = 17
"""The page's type size in pixels (.streamlit/config.toml): where that is larger, on a projector, so is a drawing."""


@dataclass(frozen=True)
class Box:
    """What is drawn for a layer, or for a part of it; `width` in the drawing's own units."""

    text: str
    kind: Kind
    width: int


@dataclass(frozen=True)
class Row:
    """A layer with weights and what follows it until the next one; `times` such rows in a row are drawn as one."""

    boxes: tuple[Box, ...]
    times: int = 1


def network_svg(network: Network, style: Style) -> str:
    """The layers from the input down: a row a Dense layer or convolution, normalization filled with the style's colour.

    At most 200 pixels high, however deep the network: equal rows are drawn once, and of many different ones the
    first and the last. Text and lines take the colour of the text around it. Draw it with `st.markdown` and
    `unsafe_allow_html=True`; `st.html` takes every SVG out.
    """
    rows = [_drawn(row) for row in _condensed(_rows(network))]
    pitch = min(PITCH, HEIGHT / len(rows))
    ends = [LEFT + sum(box.width + GAP for box in boxes) - GAP for boxes in rows]
    width, height = max(WIDTH, *(end + 10 for end in ends)), pitch * len(rows)
    label = escape(f"{' '.join(style.name.split())}: {network_text(network)}")
    parts = [_row(boxes, pitch * (i + 0.5), pitch - LINE_GAP, style) for i, boxes in enumerate(rows)]
    parts += [_turn(end, pitch * (i + 0.5), pitch) for i, end in enumerate(ends[:-1])]
    # The div makes it one block of HTML, in which Markdown leaves everything alone; its margin is a paragraph's.
    return (
        '<div style="margin-bottom:1rem"><svg xmlns="http://www.w3.org/2000/svg" width="100%" '
        f'role="img" aria-label="{label}" '
        f'viewBox="0 0 {width:g} {height:g}" style="max-width:{width / ROOT_SIZE:g}rem;display:block" '
        f'font-size="{SIZE}" text-anchor="middle" fill="currentColor">'
        f"<title>{label}</title>{''.join(parts)}</svg></div>"
    )


def network_text(network: Network) -> str:
    """The layers in words: "Flatten → BN → Dense 300 → ReLU → … → Dense 10 → Softmax"."""
    parts = []
    for row in _condensed(_rows(network)):
        words = " → ".join(box.text for box in row.boxes)
        parts.append(words if row.times == 1 else f"{row.times} × ({words})")
    return " → ".join(parts)


def _rows(network: Network) -> list[Row]:
    """One row for each layer with weights, others for what stands before and after them; equal neighbours as one."""
    numbers = itertools.accumulate(_begins_row(layer) for layer in network.layers)
    boxes: dict[int, tuple[Box, ...]] = {}
    for number, layer in zip(numbers, network.layers, strict=True):
        boxes[number] = (*boxes.get(number, ()), *_boxes(layer))
    return [Row(row, len(list(equal))) for row, equal in itertools.groupby(boxes.values())]


def _begins_row(layer: Layer) -> bool:
    return layer.keras_class == "Flatten" or any(variable.name == "kernel" for variable in layer.variables)


def _condensed(rows: Sequence[Row]) -> list[Row]:
    """At most MOST_ROWS rows: the first, how many layers are left out, and the last."""
    if len(rows) <= MAX_ROWS:
        return list(rows)
    head, left_out, tail = rows[: MAX_ROWS - 3], rows[MAX_ROWS - 3 : -2], rows[-2:]
    text = f"… {sum(row.times for row in left_out)} more hidden layers"
    return [*head, Row((Box(text, "words", _text_width(text)),)), *tail]


def _boxes(layer: Layer) -> Iterator[Box]:
    if layer.normalizer is not None:
        short = layer.normalizer.short
        yield Box(short, "normalization", max(40, _text_width(short) + 14))
        return
    if layer.keras_class == "BatchNoise":
        yield Box("Noise", "activation", _text_width("Noise") + 8)
        return
    title = next(
        (a.title for a in ACTIVATIONS.values() if (a.layer, a.config) == (layer.keras_class, layer.config)), ""
    )
    if title:
        yield Box(title, "activation", _text_width(title) + 14)
        return
    text = " ".join(
        [layer.keras_class, *(str(layer.config[key]) for key in ("units", "filters") if key in layer.config)]
    )
    by_units = 38 + 7.5 * math.log2(layer.output_shape[-1])
    yield Box(text, "layer", max(round(by_units), _text_width(text) + 10))
    if "activation" in layer.config:
        text = layer.config["activation"].capitalize()
        yield Box(text, "activation", _text_width(text) + 14)


def _drawn(row: Row) -> tuple[Box, ...]:
    times = f"{row.times} ×"
    return row.boxes if row.times == 1 else (Box(times, "words", _text_width(times)), *row.boxes)


def _row(boxes: Sequence[Box], middle: float, height: float, style: Style) -> str:
    drawn, x = [], float(LEFT)
    for box in boxes:
        drawn.append(_box(box, x, middle, height, style))
        x += box.width + GAP
        if box.kind != "words" and box is not boxes[-1]:
            drawn.append(_line(f"M{x - GAP:g} {middle:g}h{GAP}"))
    return "".join(drawn)


def _box(box: Box, x: float, middle: float, height: float, style: Style) -> str:
    shape = {
        "layer": 'rx="3" fill="none" stroke="currentColor" stroke-opacity="0.6"',
        "normalization": f'rx="3" fill="{style.colour}"',
        "activation": f'rx="{height / 2:g}" fill-opacity="0.12"',
        "words": 'fill="none"',
    }[box.kind]
    look = f'font-weight="700" fill="{_ink(style.colour)}"' if box.kind == "normalization" else ""
    return (
        f'<rect x="{x:g}" y="{middle - height / 2:g}" width="{box.width:g}" height="{height:g}" {shape}/>'
        # A third of the type's size below the middle, where the letters are centred.
        f'<text x="{x + box.width / 2:g}" y="{middle + SIZE / 3:g}" {look}>{escape(box.text)}</text>'
    )


def _turn(end: float, middle: float, pitch: float) -> str:
    """From the end of one row to an arrow at the start of the next."""
    return _line(f"M{end:g} {middle:g}h5v{pitch / 2:g}H4v{pitch / 2:g}h{LEFT - 6}m-4 -4l4 4l-4 4")


def _line(path: str) -> str:
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.5" stroke-width="1.5"/>'


def _text_width(text: str) -> int:
    return round(CHARACTER * len(text))


def _ink(colour: str) -> str:
    """White, or black where white would be hard to read (WCAG's contrast below 4.5)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) >= 4.5 else "#000000"
