"""Pages on a store that cannot be read or written: one sentence each, and the page again when the store is back."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.ui import launching, services
from bnlab.ui.navigation import PAGES, page_path
from bnlab.ui.runs.table import CHOSEN
from tests.broken_stores import UNREADABLE, UNWRITABLE, WORDS, full_disk, is_a_plain_sentence
from tests.opened_page import OpenPage, open_page
from tests.slow import all_but_one_slow, all_slow_but
from tests.stored_runs import OWNER, make_evaluation, record_run
from tests.ui.compare_page import tiny_specs

__all__ = ["open_page"]

TRAINED, WAITING, *_ = tiny_specs().values()
PAGES_WITH_STORE = [page.name for page in PAGES if page.name != "how_it_works"]
BUTTONS = [
    ("compare", "train"),
    ("runs", "runs-delete"),
    ("claims", "run-A1 quick 0:5"),
    ("compare", "stop_all"),
    ("runs", "runs-stop"),
    ("runs", "delete-checkpoints"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with the first variant of the page trained, and the second one waiting."""
    with Store(f"sqlite:///{tmp_path}/bnlab.db") as opened:
        record_run(opened, TRAINED, (2.0, 1.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
        opened.launch(WAITING, "waiting", OWNER)
        yield opened


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "INTERACTIVE_BUSY_SECONDS", 0.1)


def pages_store() -> Store:
    return services.scheduler().store


def assert_is_one_sentence(app: AppTest, breakage: str) -> None:
    assert not app.exception
    (error,) = app.error
    sentence = error.value.replace("\\", "")
    assert WORDS[breakage] in sentence
    assert is_a_plain_sentence(sentence), sentence


@pytest.mark.parametrize(
    ("page", "breakage"),
    all_slow_but(
        list(zip(PAGES_WITH_STORE, itertools.cycle(UNREADABLE))), itertools.product(PAGES_WITH_STORE, UNREADABLE)
    ),
)
def test_every_page_says_it_in_one_sentence_and_recovers(
    page: str, breakage: str, open_page: OpenPage, store: Store
) -> None:
    app = open_page(store, epochs=1, train_examples=64).switch_page(page_path(page)).run()
    if page == "claims":
        app.button(key="toggle-A1").click().run()  # a closed row reads no runs
    assert not app.exception
    assert not app.error
    with UNREADABLE[breakage](pages_store()):
        assert_is_one_sentence(app.run(), breakage)
    app.run()
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("breakage", all_but_one_slow(["garbled", "without a column"]))
def test_an_app_started_on_such_a_store_recovers(breakage: str, open_page: OpenPage, store: Store) -> None:
    with UNREADABLE[breakage](store):
        app = open_page(store)
        assert_is_one_sentence(app, breakage)
    app.run()
    assert not app.exception
    assert not app.error


def test_an_app_started_on_a_full_disk_recovers(open_page: OpenPage, tmp_path: Path) -> None:
    with full_disk():
        app = open_page(f"sqlite:///{tmp_path}/new.db")
        for page in ("compare", "runs"):
            assert_is_one_sentence(app.switch_page(page_path(page)).run(), "full")
    for page in ("compare", "runs"):
        app.switch_page(page_path(page)).run()
        assert not app.exception
        assert not app.error


def test_an_explanation_needs_no_store(open_page: OpenPage) -> None:
    app = open_page("nowhere").switch_page(page_path("how_it_works")).run()
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize(
    ("page", "button", "breakage"),
    all_slow_but(
        [(*button, breakage) for button, breakage in zip(BUTTONS, UNWRITABLE, strict=False)],
        [(*button, breakage) for button in BUTTONS for breakage in UNWRITABLE],
    ),
)
def test_every_button_says_it_in_one_sentence(
    page: str, button: str, breakage: str, open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "is_large", lambda *_: False)
    app = open_page(store, epochs=1, train_examples=64)
    app.session_state[CHOSEN] = {run.digest for run in store.runs()}
    app.session_state["disk-use"] = True
    app = app.run() if page == "compare" else app.switch_page(page_path(page)).run()
    assert not app.exception
    if page == "claims":
        app.button(key="toggle-A1").click().run()
    keys = [b.key for b in app.button]
    assert button in keys, keys
    with UNWRITABLE[breakage](pages_store()):
        app.button(key=button).click().run()
        if app.error or breakage != "full":  # what frees space may be possible on a full disk
            assert_is_one_sentence(app, breakage)
    app.run()
    assert not app.exception
    assert not app.error
