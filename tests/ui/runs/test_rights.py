"""Runs are renamed and deleted by those who launched them, or by a teacher."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.navigation import page_path
from bnlab.ui.runs.table import CHOSEN
from bnlab.ui.visitor import KEY_FIELD
from tests.opened_page import OpenPage, open_page
from tests.runs.store_rows import update_row
from tests.slow import all_but_one_slow
from tests.stored_runs import OWNER, make_evaluation, record_run
from tests.visitors import become

__all__ = ["open_page"]

ANNS, BENS = (RunSpec(epochs=1, train_examples=64, seed=seed) for seed in range(2))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    for visitor, spec in {"ann": ANNS, "ben": BENS}.items():
        store.launch_runs([(spec, f"of {visitor}")], OWNER, visitor=visitor)
        record_run(store, spec, (2.0, 1.0), (make_evaluation(2),), RunState.COMPLETED)
    return store


def runs_page(open_page: OpenPage, store: Store, *chosen: RunSpec) -> AppTest:
    app = open_page(store)
    app.session_state[CHOSEN] = {spec.digest for spec in chosen}
    return app.switch_page(page_path("runs")).run()


def labels(store: Store) -> list[str]:
    return [run.label for run in store.runs()]


def press_delete(app: AppTest) -> None:
    app.button(key="runs-delete").click().run()
    assert not app.exception


@pytest.mark.parametrize("key", all_but_one_slow(["", "a long key"]))
def test_what_another_launched_stays(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("BNLAB_TEACHER_KEY", key)
    become(monkeypatch, "ben")
    app = runs_page(open_page, store, ANNS)
    press_delete(app)  # as a browser could that still shows the button
    assert labels(store) == ["of ann", "of ben"]
    app.text_input(key=f"runs-name-{ANNS.digest}").set_value("mine")
    app.button(key="runs-rename").click().run()
    assert labels(store) == ["of ann", "of ben"]
    app = runs_page(open_page, store, ANNS, BENS)
    assert next(text.value for text in app.markdown if text.value.startswith("Delete")).startswith("Delete “of ben”")
    assert any(text.value.startswith("1 stays: Another visitor has launched it") for text in app.caption)
    press_delete(app)
    assert labels(store) == ["of ann"]


def test_who_launched_a_run_renames_and_deletes_it(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNLAB_TEACHER_KEY", "a long key")
    become(monkeypatch, "ann")
    app = runs_page(open_page, store, ANNS)
    app.text_input(key=f"runs-name-{ANNS.digest}").set_value("mine")
    app.button(key="runs-rename").click().run()
    assert labels(store) == ["mine", "of ben"]
    press_delete(runs_page(open_page, store, ANNS))
    assert labels(store) == ["of ben"]


def test_a_teacher_may_do_everything(open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNLAB_TEACHER_KEY", "the key")
    become(monkeypatch, "teacher")
    waiting = RunSpec(epochs=2)
    store.launch_runs([(waiting, "waiting")], OWNER, visitor="ann")
    app = runs_page(open_page, store, ANNS, waiting)
    assert app.button(key="runs-stop").disabled
    app.text_input(key=KEY_FIELD).set_value("a wrong key").run()
    assert app.error[0].value.startswith("That is not")
    assert app.button(key="runs-stop").disabled
    app.text_input(key=KEY_FIELD).set_value("the key").run()
    assert not app.error
    app.button(key="runs-stop").click().run()
    assert store.run(waiting.digest).stop_requested
    press_delete(app)
    assert labels(store) == ["of ben", "waiting"]
    assert runs_page(open_page, store, BENS).text_input(key=KEY_FIELD), "another session has to enter it"


def test_without_a_key_one_person_with_several_browsers_is_not_locked_out(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_row(store, ANNS, updated_at=1_777_863_721.5)
    become(monkeypatch, "another browser")
    app = runs_page(open_page, store, ANNS)
    assert not [field for field in app.text_input if field.key == KEY_FIELD], "nothing to enter"
    press_delete(app)
    assert labels(store) == ["of ben"]
