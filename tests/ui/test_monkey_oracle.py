"""What the monkey of the browser tests takes for shown when a button is pressed."""

from typing import Any

import pytest

from bnlab.specs.run_spec import RunSpec
from tests.ui.browser.monkey_oracle import (
    CONTINUE_SELECTED,
    EDIT,
    LEAVE,
    Press,
    missing,
    shown_comparisons,
    shows_refused,
    unexplained,
)

ADDRESS = "http://127.0.0.1/?preset=placement&epochs=2&train_examples=320"


def shown(pending: tuple[str, ...] = (), *, one: bool = False, edited: bool = True, **texts: Any) -> dict[str, Any]:
    """A page that shows `texts` in the fields of these keys, written with underscores for hyphens."""
    fields = {
        key.replace("__", "-"): {"text": text, "edited": edited, "mixed": key == "mixed"} for key, text in texts.items()
    }
    return {"address": ADDRESS, "fields": fields, "one": one, "pending": list(pending), "train": True}


def epochs(page: dict[str, Any]) -> list[list[int]]:
    """Per comparison that may be shown, the epochs of its variants."""
    return [[variant.spec.epochs for variant in comparison.variants] for comparison in shown_comparisons(page)]


def test_what_is_typed_counts_before_the_address_shows_it() -> None:
    assert epochs(shown(all__epochs="5", all__train_examples="320")) == [[5, 5, 5]]
    (comparison,) = shown_comparisons(shown(all__train_examples="", seeds="2"))
    assert comparison.seeds == 2
    assert {variant.spec.train_examples for variant in comparison.variants} == {None}


@pytest.mark.parametrize(("key", "text"), [("all__epochs", "0"), ("all__epochs", ""), ("seeds", "1.5"), ("seeds", "")])
def test_a_value_that_is_refused_allows_nothing(key: str, text: str) -> None:
    assert epochs(shown(**{key: text})) == []


def test_a_field_that_was_just_drawn_shows_nothing_yet() -> None:
    page = shown(one=True, edited=False, field__1__epochs="0", field__1__hidden_units="")
    assert epochs(page) == [[2, 2, 2]]
    assert shows_refused(page)
    assert Press("train", shown(edited=False, all__epochs="0")).required == set()


def test_a_field_that_nobody_has_edited_may_lag_behind_the_address() -> None:
    assert epochs(shown(all__epochs="3", edited=False)) == [[3, 3, 3], [2, 2, 2]]


def test_a_number_of_layers_counts_if_it_was_entered_and_where_variants_differ_nothing() -> None:
    for edited, units in ((True, (300, 100, 100)), (False, (300, 100))):
        (comparison, *_) = shown_comparisons(shown(edited=edited, all__hidden_layers="3"))
        assert {variant.spec.hidden_units for variant in comparison.variants} == {units}
    page = shown(all__placement="", all__use_bias="on")
    page["fields"]["all-placement"]["mixed"] = True
    (comparison,) = shown_comparisons(page)
    assert len({variant.spec.placement for variant in comparison.variants}) == 3
    assert all(variant.spec.use_bias for variant in comparison.variants)


def test_fields_of_one_variant_are_those_that_are_shown() -> None:
    assert epochs(shown(one=True, field__1__epochs="7")) == [[2, 7, 2]]
    assert epochs(shown(one=True, edited=False, all__epochs="9"))[-1] == [2, 2, 2]
    assert epochs(shown(one=True, all__epochs="9", field__1__epochs="7")) == [[9, 7, 9]]
    (comparison,) = shown_comparisons(
        shown(one=True, field__0__placement="Before the activation", field__0__use_bias=False, name__0="A")
    )
    assert (comparison["A"].spec.placement, comparison["A"].spec.use_bias) == ("before_activation", False)


def press(button: str, **texts: Any) -> Press:
    return Press(button, shown(**texts))


def specs(epochs_: int) -> set[RunSpec]:
    """Those of the comparison at ADDRESS with these epochs."""
    return press("train", all__epochs=str(epochs_)).specs


LEFT = Press(LEAVE, {})
FIVE, THREE, REFUSED = ({"all__epochs": text} for text in ("5", "3", "0"))


def test_a_press_requires_what_it_certainly_shows() -> None:
    assert press("shortcut", **FIVE).required == press("train", **FIVE).required == specs(5)
    assert not press(EDIT, **FIVE).required
    assert not press("continue-0", **FIVE).required
    assert not press("train", pending=("remove",)).required
    assert not press("train", one=True, **FIVE).required
    assert not press("train", edited=False, **FIVE).required
    assert not Press("shortcut", shown() | {"train": False}).required, "another page"


def test_a_press_trains_all_that_it_shows_and_nothing_else() -> None:
    presses = [press("train", **FIVE)]
    some = set(list(specs(5))[:2])
    assert missing(presses, set()) == [specs(5)]
    assert missing(presses, some) == [specs(5) - some]
    assert not missing(presses, specs(5) | specs(2))
    assert not unexplained(presses, specs(5))
    assert unexplained(presses, specs(5) | specs(2)) == specs(2)
    assert unexplained([], specs(2)) == specs(2)
    assert not missing([], set())


def test_a_value_sent_after_a_press_may_count() -> None:
    pressed, edit = press("train", **FIVE), press(EDIT, **THREE)
    for launched in (specs(5), specs(3)):
        assert not missing([pressed, edit], launched)
        assert not unexplained([pressed, edit], launched)
    assert missing([pressed, edit], specs(2)) == [specs(5)]
    assert missing([edit, pressed], specs(3)) == [specs(5)], "it was sent before"
    assert unexplained([edit, pressed], specs(3)) == specs(3)
    assert unexplained([edit], specs(3)) == specs(3), "nothing was pressed"


def test_a_value_that_is_refused_after_a_press_allows_to_train_nothing() -> None:
    assert not missing([press("train", **FIVE), press(EDIT, **REFUSED)], set())


def test_a_press_before_the_document_is_left_may_be_lost() -> None:
    assert not missing([press("train", **FIVE), LEFT], set())
    assert missing([LEFT, press("train", **FIVE)], set()) == [specs(5)]
    assert not unexplained([press("train", **FIVE), LEFT], specs(5))


def test_what_is_continued_or_not_shown_yet_is_explained() -> None:
    assert not unexplained([press(CONTINUE_SELECTED)], specs(7))
    assert not unexplained([press("train", pending=("show-bias",))], specs(7))
    assert unexplained([press(EDIT, pending=("show-bias",))], specs(7)) == specs(7)


def test_what_may_have_to_be_confirmed_is_not_required() -> None:
    assert press("train", all__train_examples="640").required
    assert not press("train", all__train_examples="").required, "55,000 examples, twice, by three networks"
