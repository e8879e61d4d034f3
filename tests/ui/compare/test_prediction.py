"""A lesson that asks for a prediction, on all pages."""

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.claims.answer import Winner
from bnlab.runs.predictions import are_results_revealed, read_predictions, save_prediction
from bnlab.runs.store import Store
from bnlab.specs.prediction import NO_DIFFERENCE, LearnerPrediction, lesson_id, tally_predictions
from bnlab.ui.compare.prediction import CHOICE, SIZE, tally_html
from bnlab.ui.navigation import PAGES, page_path
from tests.one_thread import one_thread
from tests.opened_page import OpenPage, open_page
from tests.ui.compare.test_answer import with_recordings
from tests.ui.compare_page import assert_sound, document, store
from tests.visitors import become

__all__ = ["one_thread", "open_page", "store"]

KEY = "a key"
LESSON = lesson_id(KEY)
LINK = {"predict": LESSON, "lesson-title": "Before or after?", "lesson-question": "Which <b>one</b>, *you* think?"}


def html_of(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()


def test_results_are_hidden_until_a_prediction_and_its_reveal(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, "ann")
    app = open_page(with_recordings(store, "placement"), **LINK)
    assert_sound(app)
    shown, hidden = html_of(app), document(app)
    assert "Before or after?" in shown
    assert "<b>one" not in shown
    assert 'class="answer' not in shown
    assert hidden.keys() == {"page", "others", "progress", "predictions"}
    assert {progress["text"] for progress in hidden["progress"].values()} == {"3 of 3 trained"}
    assert app.number_input(key="all-epochs").disabled, "what is predicted stays as it is"


def test_a_learner_predicts_and_changes_it(open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, "ann")
    app = open_page(with_recordings(store, "placement"), **LINK)
    press(app, "save-prediction")
    assert len(app.error) == 1, "which one?"
    app.radio(key=CHOICE).set_value("BN before ReLU").run()
    press(app, "save-prediction")
    assert len(app.error) == 1, "by how much?"
    app.radio(key=SIZE).set_value("small").run()
    press(app, "save-prediction")
    assert_sound(app)
    assert read_predictions(store, LESSON) == [LearnerPrediction("BN before ReLU", "small")]
    assert "Saved: BN before ReLU" in html_of(app)
    app.radio(key=CHOICE).set_value(NO_DIFFERENCE).run()
    press(app, "save-prediction")
    assert read_predictions(store, LESSON) == [LearnerPrediction(NO_DIFFERENCE)]


def test_the_teacher_reveals_the_results_to_everybody(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_recordings(store, "placement")
    save_prediction(store, LESSON, "bob", LearnerPrediction("No BN", "huge"))
    become(monkeypatch, "teacher")
    teacher = open_page(store, **LINK, reveal=KEY)
    assert_sound(teacher)
    assert 'class="answer' not in html_of(teacher), "a projector would show it"
    assert "1" in document(teacher)["predictions"]
    press(teacher, "reveal-results")
    assert are_results_revealed(store, LESSON)
    for app in (teacher, open_page(store, **LINK)):
        assert_sound(app)
        assert 'class="answer' in html_of(app)
        assert 'class="tally"' in html_of(app)
        assert "charts" in document(app)


def test_no_other_page_shows_results(open_page: OpenPage, store: Store) -> None:
    with_recordings(store, "placement")
    app = open_page(store, predict=LESSON)
    assert not any("/download/" in body for body in (html_of(app), *(text.value for text in app.markdown)))
    for page in PAGES[1:4]:
        app.switch_page(page_path(page.name)).run()
        assert_sound(app)
        assert len(app.info) == 1
        assert not app.dataframe
        assert not any("/live/" in component.proto.json for component in app.get("bidi_component"))
        assert app.query_params["predict"] == LESSON


def test_a_teacher_gets_two_links(open_page: OpenPage, store: Store) -> None:
    app = open_page(store)
    app.text_input(key="share-title").set_value("  Which\none? ").run()
    app.toggle(key="share-predict").set_value(True).run()
    assert_sound(app)
    learners, teacher = (code.value for code in app.code if "?" in code.value)
    assert "reveal=" not in learners
    assert "lesson-title=Which+one%3F" in learners
    key = teacher.partition("reveal=")[2]
    assert f"predict={lesson_id(key)}" in learners
    app.text_input(key="share-title").set_value("x" * 81).run()
    assert len(app.error) == 1
    assert all("lesson-title" not in code.value for code in app.code)


def test_a_wrong_key_reveals_nothing(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, predict=LESSON, reveal="guess")
    assert len(app.warning) == 1
    assert "reveal-results" not in [button.key for button in app.button]
    assert "reveal" not in app.query_params


def test_the_tally_marks_what_the_results_support() -> None:
    predictions = [LearnerPrediction("<i>A", "small"), LearnerPrediction("B", "huge"), LearnerPrediction("B", "medium")]
    tally = tally_predictions(predictions, ["<i>A", "B"])
    html = tally_html(tally, Winner("B", True, 0.3, "B < A."), LearnerPrediction("<i>A", "small"))
    assert "<i>" not in html
    assert "B &lt; A." in html
    rows = html.split("<tr")
    marked = [row for row in rows if "supported" in row]
    assert [">B<" in marked[0], "more than 10" in marked[1], len(marked)] == [True, True, 2]
    assert [row.split('value="')[1][0] for row in rows[1:4]] == ["1", "2", "0"]
    assert sum("your prediction" in row for row in rows) == 2
    tie = tally_html(tally, Winner(None, True, 0.0, "."))
    assert ["No difference" in row for row in tie.split("<tr") if "supported" in row] == [True]
    assert "supported" not in tally_html(tally, Winner(None, False, None, ".")).replace('class=""', "")
