"""A Plotly figure that is redrawn in place: zoom, hidden traces and hover survive every update.

``st.plotly_chart`` hashes the figure into its identity, so every change of data mounts a new chart and loses the
reader's zoom. This component keeps one DOM element per key and passes it each new figure. Plotly matches the figures by
the ``uid`` of traces and the ``uirevision`` of the layout. The JavaScript is ``static/live_chart.js``.
"""

import weakref
from functools import cache
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly

from bnlab.charts.figures import Drawing
from bnlab.ui.assets import PLOTLY, assets

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

# Sent with every update, so it only imports the real script, which the browser caches.
_LOADER = """
export default async function (component) {
  let chart;
  try {
    chart = await import(new URL("%s", document.baseURI).href);
  } catch {
    const container = component.parentElement.querySelector(".live-chart");
    container.textContent = "This chart cannot be drawn: its script did not load.";
    return;
  }
  return chart.default(component);
}
"""

# On several lines, because Streamlit takes a single line with an asterisk for a file pattern. Containment: a drawing
# that changes neither layout nor styles of the rest of the page does not make the browser compute them again.
_CSS = """
.live-chart,
.live-chart * { transition: none !important; animation: none !important; }
.live-chart { contain: content; }
"""

# Plotly takes a browser half a second to load: it begins while the server computes the page.
_PRELOAD_SCRIPT = """<script>
(async () => {
  const url = (path) => new URL(path, document.baseURI).href;
  const { loadPlotly } = await import(url("%s"));
  await Promise.all([loadPlotly(url("%s")), import(url("%s"))]);
})().catch(() => {});
</script>"""

_encoded: dict[tuple[int, str], str] = {}


def preload_charts() -> None:
    """Have the browser load what charts need, before it knows that there are any."""
    with st.container(key="chart-script"):
        urls = tuple(assets().url(name) for name in ("plotly_theme.js", PLOTLY, "live_chart.js"))
        st.html(_PRELOAD_SCRIPT % urls, unsafe_allow_javascript=True)


def live_chart(figure: go.Figure | Drawing, *, key: str, height: int = 320, alt: str = "") -> None:
    """Draw ``figure`` in the element of ``key``.

    Args:
        figure: a Plotly figure, or a Drawing, which is lighter. Its template is dropped in favor of the page's theme;
            properties set by the figure itself win over the theme. Traces without a ``uid`` are matched by position.
        key: unique on the page; the ``uirevision`` of a layout without one.
        height: in pixels, of the figure and of its container while Plotly loads.
        alt: a sentence for screen readers; the figure's title by default.
    """
    data = {
        "chart": key,
        "plotly": assets().url(PLOTLY),
        "figure": encode_figure(figure, key),
        "height": height,
        "alt": alt or _title(figure) or "Chart",
    }
    _component()(key=key, data=data, height=height)


def streamed_chart(
    path: str, *, key: str, height: int, fills: bool = False, panel: str = "", description: str = ""
) -> None:
    """Draw the figure at `path` in the document of the page's event stream (`bnlab.ui.live.follow`).

    `height` is in pixels; a chart that `fills` the window is as high as what is left below its top, but at least that.
    `panel` is the title above several charts, which belongs to their names. `description` is the id of the element with
    a text that says what the chart shows; screen readers read it after the chart's own text.
    """
    data = {"chart": key, "plotly": assets().url(PLOTLY), "source": path, "height": height}
    data |= {"fills": fills, "panel": panel, "description": description}
    _component()(key=key, data=data, height="content" if fills else height)


def figure_json(figure: go.Figure, *, uirevision: str) -> str:
    """The figure as JSON for plotly.js. A string, because Plotly's encoder writes NaN as null and Streamlit's not."""
    spec: dict[str, Any] = figure.to_dict()
    layout = spec["layout"]
    layout.pop("template", None)  # Plotly's default template has a white background
    layout.pop("transition", None)  # see prefers-reduced-motion
    layout.setdefault("uirevision", uirevision)
    return str(to_json_plotly({"data": spec["data"], "layout": layout}))


def _title(figure: go.Figure | Drawing) -> str:
    title = figure.layout["title"]
    return str((title["text"] if isinstance(figure, Drawing) else title.text) or "")


def encode_figure(figure: go.Figure | Drawing, key: str) -> str:
    """The figure's JSON, cached by the figure's identity, since charts return the same object while nothing changes."""
    if isinstance(figure, Drawing):
        return figure.json(uirevision=key)
    cache_key = id(figure), key
    if cache_key not in _encoded:
        _encoded[cache_key] = figure_json(figure, uirevision=key)
        weakref.finalize(figure, _encoded.pop, cache_key, None)
    return _encoded[cache_key]


@cache
def _component() -> "ComponentRenderer":
    return st.components.v2.component(
        "live_chart",
        html='<div class="live-chart"></div>',
        css=_CSS,
        js=_LOADER % assets().url("live_chart.js"),
        isolate_styles=False,  # Plotly adds its style sheet to the page, outside of any shadow root
    )
