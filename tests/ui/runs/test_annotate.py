"""Notes and tags on the Runs page, by AppTest."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Multiselect, TextArea

from bnlab.runs.annotations import MAX_TAG_LENGTH
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.navigation import page_path
from bnlab.ui.runs.annotate import NOTE, TAGS
from bnlab.ui.runs.table import CHOSEN
from tests.opened_page import OpenPage, open_page
from tests.stored_runs import OWNER, make_evaluation, record_run
from tests.visitors import become

__all__ = ["open_page"]

FIRST, SECOND = (RunSpec(epochs=1, train_examples=64, seed=seed) for seed in range(2))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    for visitor, spec in {"ann": FIRST, "ben": SECOND}.items():
        store.launch_runs([(spec, f"of {visitor}")], OWNER, visitor=visitor)
        record_run(store, spec, (2.0, 1.0), (make_evaluation(2),), RunState.COMPLETED)
    return store


def runs_page(open_page: OpenPage, store: Store, *chosen: RunSpec, **query: str) -> AppTest:
    app = open_page(store, **query)
    app.session_state[CHOSEN] = {spec.digest for spec in chosen}
    app.switch_page(page_path("runs")).run()
    assert not app.exception
    return app


def tags_field(app: AppTest) -> Multiselect[str]:
    (field,) = (field for field in app.multiselect if str(field.key).startswith(TAGS))
    return field


def note_fields(app: AppTest) -> list[TextArea]:
    return [field for field in app.text_area if str(field.key).startswith(NOTE)]


def save(app: AppTest) -> None:
    app.button(key="runs-annotate").click().run()
    assert not app.exception


def tags(store: Store) -> list[tuple[str, ...]]:
    return [run.tags for run in store.runs()]


def test_a_note_and_tags_are_written_and_shown_as_plain_text(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, "ann")
    app = runs_page(open_page, store, FIRST)
    assert not {"tags", "note"} & set(app.dataframe[0].value.columns), "nobody has written anything"
    note_fields(app)[0].set_value(" **Not** <b>bold</b> ")
    tags_field(app).set_value(["*a*", "b"])
    save(app)
    assert (store.run(FIRST.digest).note, store.run(FIRST.digest).tags) == ("**Not** <b>bold</b>", ("*a*", "b"))
    row = app.dataframe[0].value.set_index("digest").loc[FIRST.digest]
    assert (row["note"], list(row["tags"])) == ("**Not** <b>bold</b>", ["*a*", "b"])
    assert tags_field(app).value == ["*a*", "b"]
    app.text_input(key="runs-search").set_value("<b>bold").run()
    assert app.dataframe[0].value["digest"].tolist() == [FIRST.digest]


def test_runs_are_filtered_by_a_tag_whose_name_is_plain_text(open_page: OpenPage, store: Store) -> None:
    store.annotate(SECOND.digest, "", ["*a* ~ b"])
    app = runs_page(open_page, store, **{"runs-filter": "tag~*a* ~ b", "runs-group": "tag"})
    assert app.dataframe[0].value["group"].tolist() == ["*a* ~ b"]
    assert app.dataframe[1].value["digest"].tolist() == [SECOND.digest]
    assert app.button(key="runs-remove-tag").label == r"Tag: \*a\* \~ b"


def test_tags_of_several_runs_are_changed_where_the_visitor_may(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for spec, own in ((FIRST, "x"), (SECOND, "y")):
        store.annotate(spec.digest, "", ["both", own])
    become(monkeypatch, "ann")
    app = runs_page(open_page, store, FIRST, SECOND)
    assert not note_fields(app)
    tags_field(app).set_value(["new"])
    save(app)
    assert tags(store) == [("new",), ("both", "y")], "Ben's stays; and only what is common was offered"
    monkeypatch.setenv("BNLAB_TEACHER_KEY", "the key")
    app = runs_page(open_page, store, SECOND)
    tags_field(app).set_value(["mine"])
    save(app)
    assert tags(store)[1] == ("both", "y")


def test_what_is_too_long_is_said_and_not_stored(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, "ann")
    app = runs_page(open_page, store, FIRST)
    tags_field(app).set_value(["x" * (MAX_TAG_LENGTH + 1)])
    save(app)
    assert len(app.error) == 1
    assert str(MAX_TAG_LENGTH) in app.error[0].value
    assert tags(store) == [(), ()]


def test_in_a_lesson_nothing_is_written(open_page: OpenPage, store: Store) -> None:
    app = runs_page(open_page, store, FIRST, lock="epochs")
    assert not note_fields(app)
