"""Names of variants and runs are plain text on every page."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.charts.formatting import WORD_JOINER
from bnlab.charts.series import CurveSettings
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.lesson import Lesson
from bnlab.ui.layers.views import TITLES
from bnlab.ui.navigation import PAGES, page_path
from bnlab.ui.runs.table import CHOSEN
from bnlab.ui.state import STATE_KEY, PageState
from tests.opened_page import OpenPage, open_page
from tests.stored_runs import OWNER, make_evaluation, record_run
from tests.ui.compare_page import charts, traces
from tests.ui.hostile_names import COMPARISON, HOSTILE_NAMES

__all__ = ["open_page"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One run of each variant; the last has failed with an error that contains a hostile name."""
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    for variant in COMPARISON.variants:
        evaluations = (make_evaluation(0), make_evaluation(2, val_loss=1e9 if variant.colour else 1.0))
        record_run(store, variant.spec, (2.0, 1.0), evaluations, RunState.COMPLETED)
        store.rename(variant.spec.digest, variant.label)
    failed = store.launch(COMPARISON.variants[0].spec.model_copy(update={"seed": 99}), HOSTILE_NAMES[0], OWNER)
    store.finish(failed.digest, OWNER, RunState.FAILED, HOSTILE_NAMES[0])
    return store


def open_hostile(open_page: OpenPage, store: Store, page: str, view: str = "") -> AppTest:
    """A page with the hostile comparison, the first of its runs chosen; `view` is one of Layers."""
    app = open_page(store)
    settings = CurveSettings(baseline=HOSTILE_NAMES[0], differences=True)
    app.session_state[STATE_KEY] = PageState(COMPARISON, settings, Lesson(), [f"{HOSTILE_NAMES[0]} is a fault."])
    app.session_state[CHOSEN] = {run.digest for run in store.runs() if run.label == HOSTILE_NAMES[0]}
    if view:
        app.session_state["layers-view"] = view
        app.session_state["layers-networks"] = list(HOSTILE_NAMES)
    if page == "compare":
        app.session_state["editing"] = 0
    return app.switch_page(page_path(page)).run()


def interpreted_texts(app: AppTest) -> Iterator[str]:
    """All texts of the page that the browser interprets as Markdown."""

    def walk(block: object) -> Iterator[str]:
        for child in getattr(block, "children", {}).values():
            proto = child.proto
            if proto is not None and child.type != "html":
                yield from (str(getattr(proto, name, "")) for name in ("body", "label", "help", "text"))
                yield from (option.content for option in getattr(proto, "options", ()) if hasattr(option, "content"))
                yield from (
                    str(getattr(proto, kind).label) for kind in ("popover", "expandable") if hasattr(proto, kind)
                )
            yield from walk(child)

    yield from walk(app._tree)
    for table in app.table:
        yield from map(str, (*table.value.columns, *table.value.index, *table.value.to_numpy().ravel()))


def plotly_texts(app: AppTest, page: str) -> Iterator[str]:
    """The names and titles in the page's charts."""
    if page in ("compare", "layers"):
        drawings = [(traces(app, chart), drawn["layout"]) for chart, drawn in charts(app).items()]
    else:
        sent = [json.loads(component.proto.json) for component in app.get("bidi_component")]
        figures = [json.loads(data["figure"]) for data in sent if "figure" in data]
        drawings = [(figure["data"], figure["layout"]) for figure in figures]
    for drawn, layout in drawings:
        yield from (trace.get("name") or "" for trace in drawn)
        yield json.dumps(layout.get("title"))


@pytest.mark.parametrize(
    ("page", "view"),
    [*((entry.name, "") for entry in PAGES), *(("layers", view) for view in TITLES if view != "xray")],
)
def test_no_name_is_interpreted(page: str, view: str, open_page: OpenPage, store: Store) -> None:
    app = open_hostile(open_page, store, page, view)
    assert not app.exception
    texts = list(interpreted_texts(app))
    assert not [(name, text) for name in HOSTILE_NAMES for text in texts if is_interpreted(name, text)]
    assert not [text for text in plotly_texts(app, page) if "<" in text]
    pages = [element.proto.body for element in app.get("html")]
    assert not [name for name in HOSTILE_NAMES for text in pages if name != html.escape(name) and name in text]
    assert any(is_shown(HOSTILE_NAMES[0], text) for text in texts), "the faults of the address are on every page"
    if page == "compare" or view:
        assert all(any(is_shown(name, text) for text in texts) for name in HOSTILE_NAMES)


def is_interpreted(name: str, text: str) -> bool:
    """Whether a text has the name without escapes, except in diagrams and answers, which are HTML."""
    if name == "->":
        return re.search(r"(^|\s|\*)->(\s|\*|$)", text) is not None
    is_html = text.startswith(('<div style="margin-bottom:1rem"><svg', '<div class="answer'))
    return name in text and not (is_html and html.escape(name, quote=False) in text)


def is_shown(name: str, text: str) -> bool:
    """Whether a text has the name, escaped in any way."""
    plain = text.replace(WORD_JOINER, "")
    return name in html.unescape(plain) or name in re.sub(r"\\([^\w\s])", r"\1", plain)
