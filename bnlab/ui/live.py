"""The parts of a page that move by themselves: they are fed by the page's event stream, without running its script.

The JavaScript is in ``static/``: ``live_stream.js`` opens the stream, the other scripts draw what it brings.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from bnlab.live.reading import DEFAULT_VERSION, PageVersions
from bnlab.live.routes import stream_url
from bnlab.live.tasks import task_id
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


FOLLOWED, AWAITED = "followed", "awaited"
"""Session keys of what the page that is being rendered follows, and of the tasks it waits for."""


def follow(page: str, parameters: Parameters, versions: PageVersions, name: str = DEFAULT_VERSION) -> str:
    """Follow the event stream of `page`, one of `bnlab.live.views.VIEWS`, with the parameters of its address.

    The page was rendered for the version called `name` of `versions`, or for the default one if there is none, and is
    rendered again when the stream's is another one. The last call counts. Returns that version.
    """
    version = versions.get(name, versions[DEFAULT_VERSION])
    url = stream_url(base_path(), page, parameters)
    st.session_state[FOLLOWED] = {"url": url, "name": name, "version": version}
    return version


def wait_for(task: "Future[Any]") -> None:
    """Have the page rendered again when `task` is done; it must follow a stream."""
    st.session_state.setdefault(AWAITED, []).append(task_id(task))


@contextmanager
def event_stream() -> Iterator[None]:
    """Open the event stream for which `follow` is called in this context; none if it is not called."""
    _pop_followed()  # of a run that was interrupted
    yield
    if data := _pop_followed():
        with st.container(key="live-stream"):
            _component("live_stream", '<div class="live-stream"></div>')(
                key="live", data=data, on_outdated_change=lambda: None
            )


def _pop_followed() -> dict[str, object]:
    tasks = sorted(set(st.session_state.pop(AWAITED, ())))
    followed = st.session_state.pop(FOLLOWED, None)
    return followed | {"tasks": tasks} if followed else {}


def live_progress(path: str, text: str = "", share: float = 0.0, *, key: str) -> None:
    """Draw a text and a progress bar; the stream's document has their ``text`` and ``share`` at `path`."""
    html = '<label class="live-progress"><span></span><progress max="1" value="0"></progress></label>'
    _component("live_progress", html)(key=key, data={"path": path, "text": text, "share": share})


def live_text(path: str, text: str, hint: str = "", *, key: str, is_announced: bool = False, version: str = "") -> None:
    """Draw a text, `text` until the stream's document has another at `path`, followed by `hint`.

    An empty one takes no place. One that `is_announced` is for screen readers alone, which read each change. One whose
    path depends on the reader has the `version` of the page that it was drawn with (`follow`), and changes only while
    the browser shows the page of that version and the stream has no other.
    """
    data = {"path": path, "text": text, "hint": hint, "announced": is_announced, "version": version}
    _component("live_text", '<p class="live-text" hidden></p>')(key=key, data=data)


def live_slider(
    path: str,
    parameter: str,
    steps: Sequence[int],
    steps_per_epoch: int,
    epoch: str,
    *,
    on_choose: Callable[[str], None],
    key: str,
) -> None:
    """Draw a slider over evaluated steps, with a button that plays through them.

    The stream's document has its ``steps`` and how many there are ``per_epoch`` at `path`; `steps` are those until
    then. It stands at `epoch`, a number or empty for the last step, and shows the document for other values of
    `parameter`, the epoch in the stream's address, while the reader moves it. `on_choose` is a callback, called with
    such a text when the reader lets go.
    """
    html = (
        '<div class="live-slider"><button></button><label><span>Evaluation</span>'
        '<input type="range" min="0" max="0"></label><output></output></div>'
    )
    evaluations = {"steps": list(steps), "per_epoch": steps_per_epoch}
    data = {"path": path, "parameter": parameter, "epoch": epoch, "evaluations": evaluations}

    def choose() -> None:
        if key in st.session_state:
            on_choose(str(st.session_state[key]["chosen"]))

    _component("live_slider", html)(key=key, data=data, on_chosen_change=choose)


@dataclass(frozen=True)
class TableColumn:
    """A column of a live table; `id` is the name of its cells in a row of the document.

    Screen readers read `name` instead of the title if it is not empty.
    """

    id: str
    title: str
    help: str = ""
    numeric: bool = True
    name: str = ""


def live_table(path: str, columns: Sequence[TableColumn], rows: int, *, key: str) -> None:
    """Draw a table that can be sorted by its columns; the stream's document has its rows of texts at `path`.

    Until then it has so many empty `rows`, so that what is below does not move when they are filled.
    """
    html = '<div class="live-table"><table><thead></thead><tbody></tbody></table></div>'
    data = {"path": path, "columns": [asdict(column) for column in columns], "rows": rows}
    _component("live_table", html)(key=key, data=data)


@cache
def _component(name: str, html: str) -> "ComponentRenderer":
    return st.components.v2.component(name, html=html, js=_LOADER % assets().url(f"{name}.js"), isolate_styles=False)
