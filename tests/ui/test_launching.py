"""Large launches are confirmed, and what exceeds a limit is refused with a sentence, on each page."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui import launching
from bnlab.ui.launching import PENDING
from bnlab.ui.navigation import page_path
from bnlab.ui.runs.table import CHOSEN
from tests.opened_page import OpenPage, open_page
from tests.sentences import numbers_in
from tests.slow import all_but_one_slow
from tests.stored_runs import make_evaluation, record_run
from tests.ui.compare_page import TINY, assert_sound, store

__all__ = ["open_page", "store"]

MANY = TINY | {"preset": "notebook", "seeds": 20}


def keys(app: AppTest) -> set[str]:
    return {str(button.key) for button in app.button} & {"confirm", "confirm-cancel"}


def question(app: AppTest) -> str:
    (text,) = [markdown.value for markdown in app.markdown if "Launch all?" in markdown.value]
    return text


def has_shortcut(app: AppTest, key: str) -> bool:
    return bool(app.button(key=key).proto.shortcut)


def test_a_large_comparison_is_launched_once_its_total_is_confirmed(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **MANY)
    for _ in range(2):  # a second press of Train confirms nothing
        app.button(key="train").click().run()
        assert_sound(app)
        assert store.runs() == []
        assert numbers_in(question(app))[0] == 80
    assert [has_shortcut(app, key) for key in ("train", "confirm")] == [False, True]
    app.button(key="confirm").click().run()
    assert_sound(app)
    assert len(store.runs()) == 80
    assert not keys(app)
    assert has_shortcut(app, "train")


def test_nothing_is_launched_after_cancel_and_for_another_comparison(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **MANY)
    app.button(key="train").click().run()
    app.button(key="confirm-cancel").click().run()
    assert not keys(app)
    app.button(key="train").click().run()
    app.number_input(key="seeds").set_value(19)
    app.button(key="confirm").click().run()  # together with what was just entered
    assert store.runs() == [], "76 runs are another total"
    assert numbers_in(question(app))[0] == 76
    app.number_input(key="seeds").set_value(3).run()
    assert not keys(app)
    app.button(key="train").click().run()
    assert len(store.runs()) == 12, "few runs are launched at once"
    assert_sound(app)


def test_a_long_run_is_confirmed_too(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, preset="placement", epochs=1000, seeds=1)
    app.button(key="train").click().run()
    assert store.runs() == []
    assert numbers_in(question(app))[0] == 3
    app.button(key="confirm").click().run()
    assert len(store.runs()) == 3


@pytest.mark.slow
def test_continuing_many_runs_is_confirmed(open_page: OpenPage, tmp_path: Path) -> None:
    opened = Store(f"sqlite:///{tmp_path}/stopped.db")
    specs = [RunSpec(train_examples=64, epochs=1, seed=seed) for seed in range(51)]
    for spec in specs:
        record_run(opened, spec, (1.0,), (make_evaluation(0),), RunState.STOPPED)
    app = open_page(opened)
    app.session_state[CHOSEN] = {spec.digest for spec in specs}
    app.switch_page(page_path("runs")).run()
    app.button(key="runs-continue").click().run()
    assert {run.state for run in opened.runs()} == {RunState.STOPPED}
    app.button(key="confirm").click().run()
    assert not app.exception
    assert {run.state for run in opened.runs()} == {RunState.QUEUED}


def test_a_large_trial_is_confirmed(open_page: OpenPage, store: Store) -> None:
    app = open_page(store).switch_page(page_path("claims")).run()
    app.button(key="toggle-A4").click().run()
    app.button(key="run-A4 quick 0:5").click().run()
    assert store.runs() == []
    assert numbers_in(question(app))[0] == 120
    app.button(key="confirm").click().run()
    assert not app.exception
    assert len(store.runs()) == 120


@pytest.mark.parametrize(
    ("setting", "limit"),
    all_but_one_slow([("BNLAB_MAX_QUEUED_RUNS", 3), ("BNLAB_MAX_PARAMETERS", 1_000), ("BNLAB_MAX_STEPS", 1)]),
)
def test_a_limit_is_said_and_nothing_is_launched(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch, setting: str, limit: int
) -> None:
    monkeypatch.setenv(setting, str(limit))
    app = open_page(store, **TINY)
    app.button(key="train").click().run()
    assert not app.exception
    (error,) = app.error
    assert limit in numbers_in(error.value)
    assert store.runs() == []
    app.switch_page(page_path("claims")).run()
    app.button(key="toggle-A1").click().run()
    monkeypatch.setattr(launching, "is_large", lambda *_: False)
    app.button(key="run-A1 quick 0:5").click().run()
    assert not app.exception
    assert any(limit in numbers_in(error.value) for error in app.error)
    drawn = [(element.type, getattr(element, "key", None)) for element in app.main]
    assert drawn.index(("button", "run-A1 quick 0:5")) < drawn.index(("error", None)), "in sight of the button"
    assert store.runs() == []


def test_a_confirmation_belongs_to_its_session(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **MANY)
    app.button(key="train").click().run()
    assert PENDING in app.session_state
    assert not keys(open_page(store, **MANY))
