"""What a teacher's link locks or hides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.specs.lesson import EVERYTHING, PARTS, Lesson, lesson_from_url, lesson_to_url
from bnlab.specs.run_spec import RunSpec
from tests.sentences import names_in_order

FIELDS = [EVERYTHING, *RunSpec.model_fields]

some_fields = st.lists(st.sampled_from(FIELDS), unique=True).map(tuple)
some_parts = st.lists(st.sampled_from(list(PARTS)), unique=True).map(tuple)


@given(st.builds(Lesson, some_fields, some_parts))
def test_there_and_back(lesson: Lesson) -> None:
    assert lesson_from_url(lesson_to_url(lesson)) == (lesson, [])


def test_no_lesson_is_no_parameter() -> None:
    assert lesson_to_url(Lesson()) == {}
    assert lesson_from_url({}) == (Lesson(), [])


def test_names_are_parted_by_dots_or_commas_or_given_again() -> None:
    lesson, faults = lesson_from_url({"lock": ["epochs.seed,momentum", "seed", ""], "hide": ["view,,results"]})
    assert lesson == Lesson(("epochs", "seed", "momentum"), ("view", "results"))
    assert not faults


def test_what_there_is_not_is_said_once_and_the_rest_counts() -> None:
    lesson, faults = lesson_from_url({"lock": ["epochs.speed.colour"], "hide": ["x" * 99]})
    assert lesson == Lesson(("epochs",))
    to_lock, to_hide = faults
    assert names_in_order(to_lock, "'speed'", "lock", "seed (Seed)")
    assert names_in_order(to_hide, f"'{'x' * 40}'", "hide", "Share")


def test_the_words_of_the_share_dialog_lead_to_their_names() -> None:
    for parameter, name, meant in (
        ("lock", "everything", "all (Everything)"),
        ("lock", "BN momentum", "momentum (BN momentum)"),
        ("hide", "The results", "results (The results)"),
    ):
        lesson, (fault,) = lesson_from_url({parameter: [name]})
        assert lesson == Lesson()
        assert names_in_order(fault, f"'{name}'", parameter, meant)


@given(st.dictionaries(st.sampled_from(["lock", "hide"]), st.lists(st.text(max_size=20), max_size=3)))
def test_any_text_is_a_lesson(parameters: dict[str, list[str]]) -> None:
    lesson, faults = lesson_from_url(parameters)
    assert set(lesson.lock) <= set(FIELDS)
    assert set(lesson.hide) <= set(PARTS)
    assert len(faults) <= 2
    assert lesson_from_url(lesson_to_url(lesson)) == (lesson, [])


@pytest.mark.parametrize("field", RunSpec.model_fields)
def test_everything_locks_each_field(field: str) -> None:
    assert Lesson(lock=(EVERYTHING,)).locks(field)
    assert Lesson(lock=(field,)).locks(field)
    assert not Lesson(lock=tuple(name for name in RunSpec.model_fields if name != field)).locks(field)
    assert not Lesson().locks(field)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_hidden_by_its_own_name(part: str) -> None:
    assert Lesson(hide=(part,)).hides(part)
    assert not Lesson(lock=(EVERYTHING,), hide=tuple(set(PARTS) - {part})).hides(part)


def test_every_part_is_told_in_words() -> None:
    assert all(part.title and part.description.endswith(".") for part in PARTS.values())
