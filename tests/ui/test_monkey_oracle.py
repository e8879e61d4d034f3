"""What the monkey of the browser tests takes for shown when a button is pressed."""

import time
from typing import Any

import pytest

from tests.ui.browser.monkey import Press, shown_comparisons

ADDRESS = "http://127.0.0.1/?preset=placement&epochs=2&train_examples=320"


def shown(pending: tuple[str, ...] = (), *, dialog: bool = False, edited: bool = True, **texts: Any) -> dict[str, Any]:
    """A page that shows `texts` in the fields of these keys, written with underscores for hyphens."""
    fields = {
        key.replace("__", "-"): {"text": text, "edited": edited, "mixed": key == "mixed"} for key, text in texts.items()
    }
    return {"address": ADDRESS, "fields": fields, "dialog": dialog, "pending": list(pending), "train": "enabled"}


def epochs(page: dict[str, Any]) -> list[list[int]]:
    """Per comparison that may be shown, the epochs of its variants."""
    return [[variant.spec.epochs for variant in comparison.variants] for comparison in shown_comparisons(page)]


def test_what_is_typed_counts_before_the_address_shows_it() -> None:
    assert epochs(shown(all__epochs="5", all__train_examples="320")) == [[5, 5, 5]]
    (comparison,) = shown_comparisons(shown(all__train_examples="", seeds="2"))
    assert comparison.seeds == 2
    assert {variant.spec.train_examples for variant in comparison.variants} == {None}


@pytest.mark.parametrize(("key", "text"), [("all__epochs", "0"), ("all__epochs", ""), ("seeds", "1.5"), ("seeds", "")])
@pytest.mark.parametrize("edited", [True, False])
def test_a_value_that_is_refused_allows_nothing(key: str, text: str, edited: bool) -> None:
    assert epochs(shown(edited=edited, **{key: text})) == []


def test_a_field_that_nobody_has_edited_may_lag_behind_the_address() -> None:
    assert epochs(shown(all__epochs="3", edited=False)) == [[3, 3, 3], [2, 2, 2]]


def test_fields_of_the_dialog_are_those_of_its_variant() -> None:
    assert epochs(shown(dialog=True, field__1__epochs="7", all__epochs="9")) == [[2, 7, 2]]
    (comparison,) = shown_comparisons(
        shown(dialog=True, field__0__placement="Before the activation", field__0__use_bias=False, name__0="A")
    )
    assert (comparison["A"].spec.placement, comparison["A"].spec.use_bias) == ("before_activation", False)


def test_a_button_that_is_not_handled_yet_allows_both() -> None:
    assert epochs(shown(("show-bias",))) == [[2, 2, 2], [10, 10, 10, 10]]
    assert epochs(shown(("add-bias-0",))) == [[2, 2, 2], [2, 2, 2, 2]]


def test_a_press_requires_what_it_certainly_shows() -> None:
    page = shown(all__epochs="5")
    assert {spec.epochs for spec in Press("shortcut", page, 1, time.time()).required} == {5}
    assert not Press("shortcut", page | {"train": "disabled"}, 1, time.time()).required
    assert not Press("train", shown(("remove",)), 1, time.time()).required
