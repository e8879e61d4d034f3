"""Names of variants and runs are plain text on every page."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.charts.curve_settings import CurveSettings
from bnlab.charts.formatting import WORD_JOINER
from bnlab.runs.annotations import MAX_TAG_LENGTH
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.comparison import Comparison, Variant
from bnlab.specs.lesson import Lesson
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import services
from bnlab.ui.compare.settings import SHOWN
from bnlab.ui.layers.choices import VIEW_IDS
from bnlab.ui.navigation import PAGES, page_path
from bnlab.ui.runs.query import QUERY, RunsQuery
from bnlab.ui.runs.table import CHOSEN
from bnlab.ui.runs.toolbar import FILTER_MENU
from bnlab.ui.state import STATE_KEY, PageState
from tests.dataset_files import write_dataset
from tests.opened_page import OpenPage, open_page
from tests.slow import all_slow_but
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
    tags = [name for name in HOSTILE_NAMES if len(name) <= MAX_TAG_LENGTH]
    store.annotate(failed.digest, HOSTILE_NAMES[0], tags)
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
        app.session_state[SHOWN] = 0
    if page == "runs":
        app.session_state[QUERY] = RunsQuery(filters={"label": HOSTILE_NAMES}, group="tag")
        app.session_state[FILTER_MENU] = True
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
    all_slow_but(
        [("compare", ""), ("runs", ""), ("layers", "distributions")],
        [*((entry.name, "") for entry in PAGES), *(("layers", view) for view in dict.fromkeys(VIEW_IDS.values()))],
    ),
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


def test_names_of_datasets_are_not_interpreted(open_page: OpenPage, data_folder: Path, store: Store) -> None:
    name = ":smile: **b**"
    write_dataset(data_folder / f"{name}.npz")
    app = open_page(store)
    comparison = Comparison((Variant("A", RunSpec(dataset=name)), Variant("B", RunSpec(), 1)))
    app.session_state[STATE_KEY] = PageState(comparison, CurveSettings(), Lesson(), [])
    app.session_state[SHOWN] = 0
    texts = list(interpreted_texts(app.run()))
    assert not app.exception
    assert not [text for text in texts if is_interpreted(name, text)]
    places = [
        app.segmented_control(key="field-0-dataset").options,
        [text.value for text in app.caption],
        app.table[0].value.to_numpy().ravel().tolist(),
    ]
    assert all(any(is_shown(name, text) for text in place) for place in places)


def test_the_folder_of_datasets_is_not_interpreted(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNLAB_DATA", "/nowhere/**b**")
    app = open_page(store)
    (error,) = app.error
    assert is_shown("/nowhere/**b**", error.value)
    assert not is_interpreted("/nowhere/**b**", error.value)


def test_what_keeps_runs_from_being_trained_is_not_interpreted(open_page: OpenPage, store: Store) -> None:
    app = open_page(store)
    problem = "No workers are connected to tcp://[a](x):1."
    scheduler = services.scheduler()
    scheduler.close()  # or it would look again
    scheduler.problem = problem
    app.run()
    assert any(is_shown(problem, warning.value) and problem not in warning.value for warning in app.warning)


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
