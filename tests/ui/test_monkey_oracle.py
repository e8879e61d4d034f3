"""What the monkey of the browser tests takes for shown when a button is pressed."""

from dataclasses import replace
from typing import Any

import pytest

from bnlab.specs.run_spec import RunSpec
from tests.ui.browser.monkey_oracle import HANDLED_SECONDS, MERGED_SECONDS, Press, faults, shown_comparisons

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
    assert epochs(shown(dialog=True, field__1__epochs="7")) == [[2, 7, 2]]
    assert epochs(shown(dialog=True, edited=False, all__epochs="9"))[-1] == [2, 2, 2]
    assert epochs(shown(dialog=True, all__epochs="9", field__1__epochs="7")) == [[9, 7, 9]]
    (comparison,) = shown_comparisons(
        shown(dialog=True, field__0__placement="Before the activation", field__0__use_bias=False, name__0="A")
    )
    assert (comparison["A"].spec.placement, comparison["A"].spec.use_bias) == ("before_activation", False)


def test_a_button_that_is_not_handled_yet_allows_both() -> None:
    assert epochs(shown(("show-bias",))) == [[2, 2, 2], [10, 10, 10, 10]]
    assert epochs(shown(("add-bias-0",))) == [[2, 2, 2], [2, 2, 2, 2]]


PRESSED_AT = 1_000.0


def press(button: str, page: dict[str, Any], after: float = 0.0) -> Press:
    return Press(button, page, 1, PRESSED_AT + after)


def launches(epochs_: int, after: float = 0.5) -> dict[tuple[str, float], RunSpec]:
    """The launches of the comparison at ADDRESS with these epochs."""
    specs = press("train", shown(all__epochs=str(epochs_))).specs
    return {(spec.digest, PRESSED_AT + after): spec for spec in specs}


def test_a_press_requires_what_it_certainly_shows() -> None:
    page = shown(all__epochs="5")
    assert {spec.epochs for spec in press("shortcut", page).required} == {5}
    assert not press("shortcut", page | {"train": "disabled"}).required
    assert not press("train", shown(("remove",))).required
    assert not replace(press("train", page), is_left=True).required


def test_a_press_trains_all_that_it_shows_and_nothing_else() -> None:
    presses = [press("train", shown(all__epochs="5"))]
    assert not faults(presses, launches(5))
    assert len(faults(presses, {})) == 1
    assert len(faults(presses, dict([*launches(5).items()][:2]))) == 1
    assert len(faults(presses, launches(5) | launches(2))) == 1
    assert not faults([], {})


@pytest.mark.parametrize("seconds", [-0.1, HANDLED_SECONDS + 0.1])
def test_a_launch_is_explained_by_a_press_shortly_before_it(seconds: float) -> None:
    found = faults([press("continue-0", shown(all__epochs="5"))], launches(5, seconds))
    assert len(found) == 1
    assert all("but not shown" in fault for fault in found)


def test_a_launch_long_after_the_press_is_missed() -> None:
    presses = [press("train", shown(all__epochs="5")), press("continue-0", shown(all__epochs="5"), HANDLED_SECONDS)]
    found = faults(presses, launches(5, HANDLED_SECONDS + 0.1))
    assert len(found) == 1
    assert all("but not trained" in fault for fault in found)


def test_a_value_sent_soon_after_a_press_may_count() -> None:
    pressed, edit = press("train", shown(all__epochs="5")), press("edit", shown(all__epochs="3"), 1)
    assert not faults([pressed, edit], launches(5))
    assert not faults([pressed, edit], launches(3, 1.5))
    assert len(faults([pressed, edit], launches(3, 0.5))) == 1  # it was not entered yet
    assert len(faults([pressed, edit], {})) == 1
    assert len(faults([edit], launches(3, 1.5))) == 1
    later = press("edit", shown(all__epochs="3"), MERGED_SECONDS + 0.1)
    assert len(faults([pressed, later], launches(3, MERGED_SECONDS + 1))) == 2
    assert len(faults([pressed, later], {})) == 1


def test_a_value_that_is_refused_soon_after_a_press_allows_to_train_nothing() -> None:
    pressed = press("train", shown(all__epochs="5"))
    assert not faults([pressed, press("edit", shown(all__epochs="0"), 1)], {})
