"""The editor of a variant and its errors."""

from collections.abc import Iterator
from typing import Any

from streamlit.testing.v1 import AppTest

from bnlab.runs.store import Store
from tests.opened_page import OpenPage, open_page
from tests.ui.compare_page import assert_sound, progress_texts, store

__all__ = ["open_page", "store"]


def test_a_field_for_all_and_one_of_a_variant_are_in_the_address(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, preset="notebook")
    app.number_input(key="all-epochs").set_value(3).run()
    assert_sound(app)
    assert app.query_params == {"preset": "notebook", "epochs": "3"}
    app.button(key="edit-0").click().run()
    assert_sound(app)
    app.toggle(key="field-0-use_bias").set_value(False).run()
    app.text_input(key="field-0-hidden_units").set_value("3 x 20, 10").run()
    app.text_input(key="name-0").set_value("Mine").run()
    assert_sound(app)
    variants = app.query_params["v"]
    assert variants[0] == (
        "Mine~colour~0~use_bias~false~kernel_initializer~he_normal~activation~leaky_relu~hidden_units~20-20-20-10"
    )
    assert app.query_params["epochs"] == "3"


def test_what_is_entered_wrongly_is_told_and_changes_nothing(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, preset="notebook")
    app.button(key="edit-0").click().run()
    app.text_input(key="field-0-hidden_units").set_value("wide").run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "Hidden units must be a list of 1 to 50 entries, each a whole number from 1 to 2,048, "
        "as in 300-100 or 10x100, but an entry of 'wide' was given."
    ]
    assert app.query_params == {"preset": "notebook"}


def test_a_number_out_of_bounds_is_told_until_one_within_is_given(open_page: OpenPage, store: Store) -> None:
    """The browser would refuse it without a word if the control knew the bounds."""
    app = open_page(store, preset="notebook")
    assert not any(control.proto.has_min or control.proto.has_max for control in app.number_input)
    for key, message in (("all-epochs", "Epochs must be a whole number from 1 to 1,000"), ("seeds", "Seeds must be")):
        app.number_input(key=key).set_value(0).run()
        assert not app.exception
        assert [error.value.startswith(message) for error in app.error] == [True]
        assert app.number_input(key=key).value == 0, "it stays, to be corrected"
        app.number_input(key=key).set_value(2).run()
        assert_sound(app)
    app.button(key="edit-0").click().run()

    def control(key: str) -> Any:
        return next(control for control in (*app.number_input, *app.text_input) if control.key == key)

    for key, bad, good in (
        ("field-0-momentum", "-1", "0,5"), ("field-0-epochs", -1, 4), ("field-0-learning_rate", "-1", "0.2"),
    ):  # fmt: skip
        control(key).set_value(bad).run()
        assert [error.value.endswith("was given.") for error in app.error] == [True]
        control(key).set_value(good).run()
        assert_sound(app)


def test_variants_are_duplicated_removed_and_added_up_to_eight(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, preset="notebook")
    for _ in range(4):
        app.button(key="edit-0").click().run()
        app.button(key="duplicate").click().run()
        app.button(key="done").click().run()
    assert_sound(app)
    assert len(progress_texts(app)) == 8
    assert app.button(key="add-depth-0").disabled
    app.button(key="edit-7").click().run()
    app.button(key="remove").click().run()
    app.button(key="add-depth-0").click().run()
    assert_sound(app)
    assert len(progress_texts(app)) == 8


def expander_paths(app: AppTest) -> dict[str, tuple[int, ...]]:
    """The position of each expander in the element tree: a browser closes one that has moved."""

    def within(block: Any, path: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
        for index, child in getattr(block, "children", {}).items():
            if child.type == "expander":
                yield child.label, (*path, index)
            yield from within(child, (*path, index))

    return dict(within(app._tree, ()))


def test_what_is_told_of_a_field_moves_no_expander(open_page: OpenPage, store: Store) -> None:
    app = open_page(store, preset="notebook")
    app.button(key="edit-0").click().run()
    before = expander_paths(app)
    assert {"Normalization", "Data and seed", "Keras code"} <= set(before)
    app.text_input(key="name-0").set_value(" ").run()
    assert app.error
    assert expander_paths(app) == before
    app.text_input(key="name-0").set_value("Corrected").run()
    for field, wrong in (("hidden_units", "wide"), ("learning_rate", "-1"), ("momentum", "1,5")):
        correct = app.text_input(key=f"field-0-{field}").value
        app.text_input(key=f"field-0-{field}").set_value(wrong).run()
        assert app.error
        assert expander_paths(app) == before
        app.text_input(key=f"field-0-{field}").set_value(correct).run()
    app.selectbox(key="field-0-kernel_initializer").set_value("random_normal").run()
    app.text_input(key="field-0-learning_rate").set_value("50").run()
    assert_sound(app)
    assert app.text_input(key="field-0-initializer_stddev").value == "0.05", "a field more"
    assert expander_paths(app) == before
