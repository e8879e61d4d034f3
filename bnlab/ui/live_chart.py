"""A plotly figure that is redrawn in place: zoom, hidden traces and hover outlive every update.

``st.plotly_chart`` hashes the figure into its identity, so each change of data builds a new chart and forgets how the
reader had set the old one. This component keeps one element for each key and hands it every new figure; what makes
two figures "the same chart" is plotly's own: ``uid`` on the traces and ``uirevision`` on the layout. The drawing itself
is ``static/live_chart.js``.
"""

import weakref
from functools import cache
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly

from bnlab.charts.figures import Drawing
from bnlab.ui.assets import install_plotly_js, versioned_url

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

# The script below travels with every update, so it only fetches the real one, which the browser caches.
_LOADER = """
export default async function (component) {
  let chart;
  try {
    chart = await import(new URL("%s", document.baseURI).href);
  } catch {
    const place = component.parentElement.querySelector(".live-chart");
    place.textContent = "This chart cannot be drawn: its script did not load. Is static serving on?";
    return;
  }
  return chart.default(component);
}
"""

# Several lines, because Streamlit takes a single one with a star in it for a pattern of file names.
_STILL = """
.live-chart,
.live-chart * { transition: none !important; animation: none !important; }
"""


def live_chart(figure: go.Figure | Drawing, *, key: str, height: int = 320, alt: str = "") -> None:
    """Draw ``figure`` in the one lasting element of ``key``.

    Args:
        figure: any plotly figure, or a Drawing, which is lighter. Its template is left out, since the page's theme
            takes that place; what the figure itself sets wins over the theme. Give each trace a ``uid``, or hidden
            traces are remembered by position.
        key: names the chart on its page, and is its ``uirevision`` where the layout has none.
        height: in pixels, for the figure and for its place on the page while Plotly loads.
        alt: what the chart shows, in a sentence, for readers who do not see it; the figure's title by default.
    """
    data = {
        "chart": key,
        "plotly": install_plotly_js(),
        "figure": _encoded_once(figure, key),
        "height": height,
        "alt": alt or _title(figure) or "Chart",
    }
    _component()(key=key, data=data, height=height)


def figure_json(figure: go.Figure, *, uirevision: str) -> str:
    """The figure as plotly.js reads it. A string, because plotly's encoder writes NaN as null and JSON's does not."""
    spec: dict[str, Any] = figure.to_dict()
    layout = spec["layout"]
    layout.pop("template", None)  # plotly's default is a white page
    layout.pop("transition", None)  # nothing moves on its own: see prefers-reduced-motion
    layout.setdefault("uirevision", uirevision)
    return str(to_json_plotly({"data": spec["data"], "layout": layout}))


_encoded: dict[tuple[int, str], str] = {}


def _title(figure: go.Figure | Drawing) -> str:
    title = figure.layout["title"]
    return str((title["text"] if isinstance(figure, Drawing) else title.text) or "")


def _encoded_once(figure: go.Figure | Drawing, key: str) -> str:
    """The figure's JSON; one that was kept since the last tick is the same object and is not encoded again."""
    if isinstance(figure, Drawing):
        return figure.json(uirevision=key)
    place = id(figure), key
    if place not in _encoded:
        _encoded[place] = figure_json(figure, uirevision=key)
        weakref.finalize(figure, _encoded.pop, place, None)
    return _encoded[place]


@cache
def _component() -> "ComponentRenderer":
    return st.components.v2.component(
        "live_chart",
        html='<div class="live-chart"></div>',
        css=_STILL,
        js=_LOADER % versioned_url("live_chart.js"),
        isolate_styles=False,  # Plotly puts its style sheet into the page, where a shadow root would not see it
    )
