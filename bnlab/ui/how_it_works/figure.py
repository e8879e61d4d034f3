"""A figure that the browser computes, with its controls: no script runs while its reader moves them.

The JavaScript is in ``static/``: ``explanation.js`` has the controls, ``explanation_figures.js`` the figures, and
``normalization.js`` the arithmetic. Settings are in the page's address, as ``how-{id}``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from bnlab.specs.validation import parse_number
from bnlab.ui.assets import PLOTLY, assets

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

PREFIX = "how-"
"""Of the settings' names in the address."""
DRAWS = 999
"""The largest number of a button that draws random numbers."""
_LOADER = """
export default async function (component) {
  let script;
  try {
    script = await import(new URL("%s", document.baseURI).href);
  } catch {
    const container = component.parentElement.querySelector(".explanation-container");
    container.textContent = `${component.data.fallback} (The figure's script did not load.)`;
    return;
  }
  return script.default(component);
}
"""

Value = float | str


@dataclass(frozen=True)
class Control:
    """A control of a figure; `id` is unique on the page. Make one with the functions below."""

    id: str
    label: str
    kind: str
    value: Value
    low: float = 0
    high: float = 0
    step: float = 1
    options: Sequence[tuple[Value, str]] | None = None
    sets: Mapping[str, Value] | None = None

    @property
    def parameter(self) -> str:
        """Its name in the address."""
        return PREFIX + self.id

    def fault(self, text: str) -> str:
        """A sentence if `text` in the address is not one of its values, else empty."""
        if self.options is not None:
            known = [str(value) for value, _ in self.options]
            numbers = [value for value, _ in self.options if not isinstance(value, str)]
            if text in known or parse_number(text) in numbers:
                return ""
            return f"{self.parameter} must be one of {', '.join(known)}, but {text[:40]!r} was given."
        if self.low <= parse_number(text) <= self.high:
            return ""
        return f"{self.parameter} must be from {self.low:g} to {self.high:g}, but {text[:40]!r} was given."


def slider(name: str, label: str, value: float, low: float, high: float, step: float = 1) -> Control:
    """A slider over evenly spaced numbers."""
    return Control(name, label, "slider", value, low, high, step)


def steps(name: str, label: str, value: float, options: Sequence[float], titles: Mapping[float, str] = {}) -> Control:
    """A slider over `options`, numbers of different magnitudes."""
    return Control(name, label, "slider", value, options=[(o, titles.get(o) or plain_number(o)) for o in options])


def number(name: str, label: str, value: int, low: int, high: int) -> Control:
    """A field for a whole number."""
    return Control(name, label, "number", value, low, high)


def choice(name: str, label: str, value: str, titles: Mapping[str, str]) -> Control:
    """Radio buttons; `titles` by their values."""
    return Control(name, label, "choice", value, options=list(titles.items()))


def draw(name: str, label: str, value: int = 0) -> Control:
    """A button that draws new random numbers."""
    return Control(name, label, "button", value, high=DRAWS)


def preset(name: str, label: str, sets: Mapping[str, Value]) -> Control:
    """A button that sets other controls."""
    return Control(name, label, "button", 0, sets=dict(sets))


def plain_number(value: float) -> str:
    """The number in decimal notation down to 0.00001, below that as 1e-06."""
    return f"{value:zg}" if value == 0 or abs(value) >= 1e-5 else f"{value:.0e}"


@dataclass(frozen=True)
class Chart:
    """A chart of a figure: its id among those of static/explanation_figures.js, a title or none, its height in px."""

    id: str
    title: str = ""
    height: int = 380


@dataclass(frozen=True)
class Figure:
    """A figure with its controls.

    Attributes:
        id: one of FIGURES in static/explanation_figures.js.
        question: the heading above it, if it has one.
        controls, charts: its parts.
        fallback: what it shows at first, in a sentence, for a browser in which the script does not load.
        is_wide: whether its charts are side by side below its controls.
    """

    id: str
    question: str
    controls: Sequence[Control]
    charts: Sequence[Chart]
    fallback: str
    is_wide: bool = False

    def render(self) -> None:
        """Draw the figure."""
        if self.question:
            st.subheader(self.question, anchor=False)
        key = f"how-figure-{self.id}"
        data = {
            "id": self.id,
            "wide": self.is_wide,
            "controls": [asdict(control) for control in self.controls],
            "charts": [asdict(chart) for chart in self.charts],
            "fallback": self.fallback,
            "plotly": assets().url(PLOTLY),
        }

        def write_settings() -> None:
            if key in st.session_state:
                _write_settings(st.session_state[key]["settings"])

        _component()(key=key, data=data, on_settings_change=write_settings)


def _write_settings(text: str) -> None:
    """Take the settings that the browser hands over into the address as the server knows it, for the link of Share."""
    values: dict[str, Any] = json.loads(text)
    for name in [name for name in st.query_params if name.startswith(PREFIX) and name not in values]:
        del st.query_params[name]
    st.query_params.update({name: str(value) for name, value in values.items() if name.startswith(PREFIX)})


@cache
def _component() -> "ComponentRenderer":
    return st.components.v2.component(
        "explanation",
        html='<div class="explanation-container"></div>',
        js=_LOADER % assets().url("explanation.js"),
        isolate_styles=False,
    )
