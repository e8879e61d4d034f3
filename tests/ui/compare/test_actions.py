"""Buttons of the Compare page act on what the page shows when they are handled."""

import pytest
from streamlit.testing.v1 import AppTest

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.ui import controls
from bnlab.ui.state import STATE_KEY
from tests.opened_page import OpenPage, open_page
from tests.slow import all_but_one_slow
from tests.stored_runs import make_evaluation, record_run
from tests.ui.compare_page import TINY, assert_sound, store, tiny_specs

__all__ = ["open_page", "store"]

PLACEMENT = {"preset": "placement", "train_examples": 320, "epochs": 2}


def press(app: AppTest, key: str, *, together: bool) -> None:
    """Press a button after what was entered: together with it, or before its script run has drawn anything.

    AppTest sends a button before the fields that follow it on the page, so its callback is called first.
    """
    if not together:
        drawn = app._tree
        app.run()
        app._tree = drawn  # the browser has not received the new page yet, so it sends what it shows
    app.button(key=key).click().run()
    assert not app.exception


@pytest.mark.parametrize("together", [True, False])
def test_train_trains_the_epochs_that_were_just_entered(open_page: OpenPage, store: Store, together: bool) -> None:
    app = open_page(store, **PLACEMENT)
    app.number_input(key="all-epochs").set_value(5)
    press(app, "train", together=together)
    assert app.query_params["epochs"] == "5"
    assert {run.spec.epochs for run in store.runs()} == {5}
    assert len(store.runs()) == 3


@pytest.mark.parametrize("pressed", [True, False])
def test_what_the_browser_still_shows_is_not_taken_for_what_was_entered(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch, pressed: bool
) -> None:
    """The number of layers changes the units, whose field still has the old ones when Train is pressed."""
    monkeypatch.setattr(controls, "OUTDATED_SECONDS", 60.0)
    app = open_page(store, **PLACEMENT)
    app.number_input(key="all-hidden_layers").set_value(1.0).run()
    assert app.text_input(key="all-hidden_units").value == "300"
    app.text_input(key="all-hidden_units").set_value("300, 100")
    if pressed:
        app.button(key="train").click()
    app.run()
    assert_sound(app)
    assert {run.spec.hidden_units for run in store.runs()} == ({(300,)} if pressed else set())
    assert app.text_input(key="all-hidden_units").value == ("300" if pressed else "300, 100")


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("key", all_but_one_slow(["all-epochs", "all-train_examples", "seeds"]))
def test_train_trains_nothing_while_a_value_is_refused(
    open_page: OpenPage, store: Store, together: bool, key: str
) -> None:
    app = open_page(store, **PLACEMENT)
    app.number_input(key=key).set_value(0)
    press(app, "train", together=together)
    assert store.runs() == []
    assert any(error.value.startswith("Nothing was trained.") for error in app.error)
    app.run()
    assert any(error.value.startswith("Nothing was trained.") for error in app.error), "also when it is rendered again"
    assert app.number_input(key=key).value == 0, "what is refused stays until it is replaced"
    app.button(key="train").click().run()
    assert store.runs() == [], "nor at a second press"
    app.number_input(key=key).set_value(3)
    app.button(key="train").click().run()
    assert_sound(app)
    assert len(store.runs()) == (9 if key == "seeds" else 3)


def test_train_trains_what_was_entered_before_the_page_shows_that_there_was_nothing_to_train(
    open_page: OpenPage, store: Store
) -> None:
    app = open_page(store, **PLACEMENT)
    drawn = app._tree
    app.button(key="train").click().run()
    app._tree = drawn  # the browser still offers to train
    app.number_input(key="all-epochs").set_value(5)
    press(app, "train", together=True)
    assert sorted(run.spec.epochs for run in store.runs()) == [2, 2, 2, 5, 5, 5]


def test_stop_all_stops_what_was_launched_when_there_was_nothing_to_stop(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.button(key="train").click()
    app.button(key="stop_all").click().run()
    assert_sound(app)
    assert [run.stop_requested for run in store.runs()] == [True] * 4


def test_train_says_when_there_is_nothing_to_do(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.button(key="train").click().run()
    assert not app.toast
    app.button(key="train").click().run()
    assert len(app.toast) == 1
    assert_sound(app)


def test_train_trains_what_was_just_entered_in_the_editor(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.button(key="edit-0").click().run()
    app.text_input(key="name-0").set_value("Renamed")
    app.text_input(key="field-0-hidden_units").set_value("7")
    app.text_input(key="field-0-learning_rate").set_value("0.25")
    app.button(key="train").click().run()
    assert not app.exception
    runs = {run.label: run.spec for run in store.runs()}
    assert (runs["Renamed"].hidden_units, runs["Renamed"].learning_rate) == ((7,), 0.25)


def test_a_value_refused_in_the_editor_is_gone_with_it(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.button(key="edit-0").click().run()
    app.text_input(key="field-0-learning_rate").set_value("fast").run()
    assert [error.value.endswith("'fast' was given.") for error in app.error] == [True]
    app.button(key="train").click().run()
    assert store.runs() == []
    app.button(key="done").click().run()
    assert_sound(app)
    app.button(key="train").click().run()
    assert {run.label: run.spec for run in store.runs()} == tiny_specs()


def test_a_card_continues_with_the_epochs_that_were_just_entered(open_page: OpenPage, store: Store) -> None:
    spec = next(iter(tiny_specs().values()))
    record_run(store, spec, (2.0,), (make_evaluation(0),), RunState.STOPPED)
    app = open_page(store, **TINY)
    app.number_input(key="all-epochs").set_value(3)
    app.button(key="continue-0").click().run()
    states = {run.spec.epochs: run.state for run in store.runs()}
    assert states == {1: RunState.STOPPED, 3: RunState.QUEUED}


@pytest.mark.parametrize(("key", "value"), [("name-0", "Renamed"), ("field-0-placement", "after_activation")])
def test_a_card_continues_its_variant_though_its_name_has_just_changed(
    open_page: OpenPage, store: Store, key: str, value: str
) -> None:
    spec = tiny_specs()["Baseline"]
    record_run(store, spec, (2.0,), (make_evaluation(0),), RunState.STOPPED)
    app = open_page(store, **TINY)
    app.button(key="edit-0").click().run()
    control = app.text_input(key=key) if key == "name-0" else app.segmented_control(key=key)
    control.set_value(value)
    press(app, "continue-0", together=True)
    (run,) = [run for run in store.runs() if run.state is RunState.QUEUED]
    assert run.spec.placement == ("none" if key == "name-0" else value)
    assert app.session_state[STATE_KEY].comparison.labels[0] != "Baseline"


def test_stop_all_stops_what_was_shown_and_what_was_launched_since(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.button(key="train").click().run()
    app.number_input(key="seeds").set_value(2).run()
    drawn = app._tree
    app.button(key="train").click().run()
    app._tree = drawn  # Stop all is pressed before it is drawn again
    app.button(key="stop_all").click().run()
    assert {run.stop_requested for run in store.runs()} == {True}
    assert len(store.runs()) == 8


def test_a_variants_stop_stops_what_it_has_had_since_it_was_drawn(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.button(key="train").click().run()
    app.number_input(key="seeds").set_value(2)
    app.button(key="train").click()  # and the variant's Stop before the page is drawn again
    app.button(key="stop-0").click().run()
    assert_sound(app)
    assert len(store.runs()) == 8
    assert sorted(run.spec.seed for run in store.runs() if run.stop_requested) == [0, 1]


def test_stop_all_stops_what_was_shown_though_other_epochs_were_entered(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.button(key="train").click().run()
    app.number_input(key="all-epochs").set_value(3)
    app.button(key="stop_all").click().run()
    assert {run.stop_requested for run in store.runs()} == {True}


def test_an_added_variant_takes_the_epochs_that_were_just_entered(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.number_input(key="all-epochs").set_value(3)
    app.button(key="add-depth-0").click().run()
    assert_sound(app)
    assert app.query_params["epochs"] == "3"
    assert len(app.query_params["v"]) == 5


def test_a_preset_replaces_what_was_refused(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.number_input(key="all-epochs").set_value(0).run()
    assert app.error
    app.button(key="show-placement").click().run()
    assert_sound(app)
    assert not app.query_params, "the default, with its seeds"
