"""The parts of a page that move by themselves: they are fed by the page's event stream, without running its script.

The JavaScript is in ``static/``: ``live_stream.js`` opens the stream, the other scripts draw what it brings.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING

import streamlit as st

from bnlab.live.routes import stream_url
from bnlab.ui.assets import assets, base_path

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

Parameters = dict[str, list[str]]

# It only imports the real script, which the browser caches.
_LOADER = """
export default async function (component) {
  const script = await import(new URL("%s", document.baseURI).href);
  return script.default(component);
}
"""


def follow(page: str, parameters: Parameters, version: str) -> None:
    """Open the event stream of `page`, one of `bnlab.live.views.VIEWS`, with the parameters of its address.

    The page is rendered again when the stream's version (`bnlab.live.reading.page_version`) is no longer `version`.
    """
    data = {"url": stream_url(base_path(), page, parameters), "version": version}
    with st.container(key="live-stream"):
        _component("live_stream", '<div class="live-stream"></div>')(
            key="live", data=data, on_outdated_change=lambda: None
        )


def live_progress(path: str, *, key: str) -> None:
    """Draw a text and a progress bar; the stream's document has their ``text`` and ``share`` at `path`."""
    html = '<label class="live-progress"><span></span><progress max="1" value="0"></progress></label>'
    _component("live_progress", html)(key=key, data={"path": path})


def live_text(path: str, text: str, hint: str = "", *, key: str) -> None:
    """Draw a line of text, `text` until the stream's document has another at `path`, followed by `hint`."""
    data = {"path": path, "text": text, "hint": hint}
    _component("live_text", '<p class="live-text"></p>')(key=key, data=data)


@dataclass(frozen=True)
class TableColumn:
    """A column of a live table; `id` is the name of its cells in a row of the document."""

    id: str
    title: str
    help: str = ""
    numeric: bool = True


def live_table(path: str, columns: Sequence[TableColumn], *, key: str) -> None:
    """Draw a table that can be sorted by its columns; the stream's document has its rows of texts at `path`."""
    html = '<div class="live-table"><table><thead></thead><tbody></tbody></table></div>'
    data = {"path": path, "columns": [asdict(column) for column in columns]}
    _component("live_table", html)(key=key, data=data)


@cache
def _component(name: str, html: str) -> "ComponentRenderer":
    return st.components.v2.component(name, html=html, js=_LOADER % assets().url(f"{name}.js"), isolate_styles=False)
