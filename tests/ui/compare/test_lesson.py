"""A teacher's link on the Compare page."""

from bnlab.runs.store import Store
from tests.opened_page import OpenPage, open_page
from tests.ui.compare_page import TINY, assert_sound, buttons, store, trained

__all__ = ["open_page", "store", "trained"]


def test_a_lesson_locks_fields_and_hides_parts(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY, lock="use_bias.epochs", hide="results.view")
    assert_sound(app)
    assert app.number_input(key="all-epochs").disabled
    assert not app.dataframe
    app.button(key="edit-1").click().run()
    assert app.toggle(key="field-1-use_bias").disabled
    assert not app.selectbox(key="field-1-activation").disabled
    app = open_page(trained, **TINY, lock="all")
    assert app.number_input(key="seeds").disabled
    app.button(key="edit-0").click().run()
    assert_sound(app)
    assert app.text_input(key="name-0").disabled
    assert app.button(key="remove").disabled
    for part in ("variants", "training"):
        app = open_page(trained, **TINY, hide=part)
        assert_sound(app)
        assert ("Edit" in buttons(app)) == (part != "variants")
        assert ("Trained" in buttons(app)) == (part != "training")


def test_everything_is_one_lock_and_a_locked_page_offers_none(open_page: OpenPage, store: Store) -> None:
    app = open_page(store)
    app.multiselect(key="share-lock").set_value(["epochs", "all", "seed"]).run()
    assert_sound(app)
    assert app.multiselect(key="share-lock").value == ["all"]
    assert any(code.value.endswith("?lock=all") for code in app.code)
    kinds = [element.type for element in app.main]
    assert kinds.index("code") < kinds.index("multiselect"), "or an open list would cover the address"
    app = open_page(store, lock="epochs.seed", hide="results")
    assert_sound(app)
    assert not app.multiselect
    sentence = "It keeps what a teacher has locked: Epochs, Seed and hidden: Answer and results table."
    assert any(sentence in text.value for text in app.markdown)
    assert any("lock=epochs.seed&hide=results" in code.value for code in app.code), "who copies it copies the lock"


def test_another_preset_keeps_what_is_locked(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, epochs=2, hidden_units=16, learning_rate=0.5, lock="epochs.hidden_units")
    app.button(key="show-placement").click().run()
    assert_sound(app)
    assert "placement" in app.query_params["preset"]
    kept = {name: app.query_params.get(name) for name in ("epochs", "hidden_units", "learning_rate")}
    assert kept == {"epochs": "2", "hidden_units": "16", "learning_rate": None}
    app.button(key="add-depth-0").click().run()
    assert_sound(app)
    assert app.query_params["hidden_units"] == "16", "nor does a network that is added"
