"""A lesson that hides results: no page, event stream or file has them, neither the answers nor the accuracies.

Curves and charts are there to be read, unless a prediction is asked for first.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from bnlab.live.downloads import results_route, results_url
from bnlab.live.views import VIEWS
from bnlab.runs.reader import read_evaluations
from bnlab.runs.store import Store
from bnlab.specs.prediction import lesson_id
from bnlab.ui.navigation import PAGES, page_path
from tests.asgi import get
from tests.live.still_scheduler import StillScheduler, reader_of
from tests.one_thread import one_thread
from tests.opened_page import OpenPage, open_page
from tests.ui.compare.test_answer import with_recordings
from tests.ui.compare_page import assert_sound, component_data, store

__all__ = ["one_thread", "open_page", "store"]

LESSONS = {"hidden": {"hide": "results"}, "unrevealed": {"predict": lesson_id("a key")}}


def texts_of(app: AppTest) -> Iterator[str]:
    """Everything that the page sends to the browser, as text."""

    def walk(block: Any) -> Iterator[str]:
        for child in block.children.values():
            yield str(child.proto).replace('\\"', '"')
            if hasattr(child, "children"):
                yield from walk(child)

    yield from walk(app._tree)


def streamed_texts(app: AppTest, store: Store) -> Iterator[str]:
    """Everything that the page's event stream sends, without curves and charts."""
    for data in component_data(app):
        if "url" in data:
            page, _, query = data["url"].removeprefix("/live/").partition("?")
            view = VIEWS[page](parse_qs(query))
            document = dict(view.document(reader_of(store).read(view.digests)))
            yield str({name: part for name, part in document.items() if name not in ("charts", "evaluations")})


def accuracies(store: Store) -> set[str]:
    """The final validation accuracies of the runs and their means, as pages write them."""
    runs = store.runs()
    finals = {digest: run["val_accuracy"][-1] for digest, run in read_evaluations(store, runs).items()}
    means = [
        np.mean([finals[run.digest] for run in runs if run.label == label]) for label in {run.label for run in runs}
    ]
    return {f"{100 * float(share):.2f}" for share in (*finals.values(), *means)}


def shown_results(app: AppTest, store: Store) -> set[str]:
    """What the page shows of the results: accuracies, answers, tables, verdicts and links to files."""
    text = "\n".join((*texts_of(app), *streamed_texts(app, store)))
    found = {number for number in accuracies(store) if number in text}
    marks = {"answer": ('class="answer', "answer-text"), "verdict": ('class="verdict',), "file": ("/download/",)}
    found |= {name for name, signs in marks.items() if any(sign in text for sign in signs)}
    return found | {"table" for _ in app.dataframe}


@pytest.mark.parametrize("kind", LESSONS)
def test_a_lesson_without_results_shows_none_on_any_page(kind: str, open_page: OpenPage, store: Store) -> None:
    with_recordings(store, "placement")
    app = open_page(store, **LESSONS[kind])
    for page in PAGES:
        app.switch_page(page_path(page.name)).run()
        assert_sound(app)
        assert not shown_results(app, store), page.name
        assert dict(app.query_params) == LESSONS[kind], "it stays a lesson"
        has_charts = any("source" in data for data in component_data(app))
        assert has_charts == (kind == "hidden" and page.name in ("compare", "layers"))


def test_the_same_pages_show_results_without_a_lesson(open_page: OpenPage, store: Store) -> None:
    app = open_page(with_recordings(store, "placement"))
    shown = {}
    for page in PAGES:
        shown[page.name] = shown_results(app.switch_page(page_path(page.name)).run(), store)
    assert {"answer", "file"} < shown["compare"]
    assert accuracies(store) & shown["compare"]
    assert "answer" in shown["layers"]
    assert "table" in shown["runs"]
    assert "verdict" in shown["claims"]
    assert not shown["how_it_works"]


def test_hidden_results_are_no_file(store: Store) -> None:
    app = Starlette(routes=[results_route(StillScheduler(with_recordings(store, "placement")), "")])
    for query in LESSONS.values():
        assert get(app, results_url("", {name: [text] for name, text in query.items()})).status == 403
    assert get(app, results_url("", {"hide": ["view"]})).status == 200
