"""What concerns all variants at once, on the Compare page."""

from bnlab.runs.store import Store
from tests.opened_page import OpenPage, open_page
from tests.sentences import names_in_order, numbers_in
from tests.ui.compare_page import TINY, assert_sound, progress_texts, store, trained

__all__ = ["open_page", "store", "trained"]


def test_another_seed_is_another_run(open_page: OpenPage, trained: Store) -> None:
    app = open_page(trained, **TINY)
    app.number_input(key="seeds").set_value(2).run()
    assert_sound(app)
    assert progress_texts(app) == ["1 of 2 seeds done"] * 4
    assert app.button(key="train").label == "Train"
    assert "1 of 2 seeds" in progress_texts(app)[0]


def test_an_added_variant_is_trained_as_long_and_on_as_much_as_the_others(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, epochs=2, train_examples=2000)
    app.button(key="add-depth-0").click().run()
    assert_sound(app)
    assert len(progress_texts(app)) == 5
    assert app.number_input(key="all-epochs").value == 2
    assert app.number_input(key="all-train_examples").value == 2000


def test_a_fraction_is_refused_where_a_whole_number_belongs(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, **TINY)
    app.number_input(key="seeds").set_value(2.5).run()
    (error,) = app.error
    assert not app.exception
    assert names_in_order(error.value, "Seeds", "whole number")
    assert numbers_in(error.value) == [1, 20, 2.5]
    app.number_input(key="all-epochs").set_value(1.5).run()
    assert names_in_order(app.error[0].value, "Epochs", "whole number")
    assert not app.exception
    assert app.query_params["epochs"] == str(TINY["epochs"])
