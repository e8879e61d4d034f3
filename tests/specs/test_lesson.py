"""Lessons and their query parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.specs.lesson import (
    ALL_FIELDS,
    PARTS,
    PREDICT,
    QUESTION,
    REVEAL,
    TITLE,
    Lesson,
    lesson_from_url,
    lesson_to_url,
    one_line,
)
from bnlab.specs.prediction import lesson_id
from bnlab.specs.run_spec import RunSpec
from tests.sentences import names_in_order, numbers_in

FIELDS = [ALL_FIELDS, *RunSpec.model_fields]

some_fields = st.lists(st.sampled_from(FIELDS), unique=True).map(tuple)
some_parts = st.lists(st.sampled_from(list(PARTS)), unique=True).map(tuple)


texts = st.text(max_size=80).map(one_line)


def lesson_of(lock: tuple[str, ...], hide: tuple[str, ...], title: str, question: str, key: str) -> Lesson:
    return Lesson(lock, hide, title, question, lesson_id(key) if key else "", key)


@given(st.builds(lesson_of, some_fields, some_parts, texts, texts, st.sampled_from(["", "a-key_1"])))
def test_round_trip(lesson: Lesson) -> None:
    assert lesson_from_url(lesson_to_url(lesson)) == (lesson, [])


def test_empty_lesson_has_no_parameters() -> None:
    assert lesson_to_url(Lesson()) == {}
    assert lesson_from_url({}) == (Lesson(), [])


def test_texts_are_one_line_and_limited() -> None:
    lesson, errors = lesson_from_url({TITLE: [" A\n\tB\x00 "], QUESTION: ["x" * 301]})
    assert lesson == Lesson(title="A B", question="x" * 300)
    (error,) = errors
    assert numbers_in(error) == [300, 301]


def test_a_key_belongs_to_its_lesson() -> None:
    lesson, errors = lesson_from_url({PREDICT: [lesson_id("a")], REVEAL: ["b"]})
    assert lesson == Lesson(predict=lesson_id("a"))
    assert len(errors) == 1
    assert lesson.for_learners() == lesson
    assert all(lesson.locks(field) for field in FIELDS)
    assert lesson_from_url({PREDICT: ["../x"]})[0] == Lesson()
    assert lesson_from_url({REVEAL: ["a"]})[0] == Lesson()


def test_separators_and_repeated_parameters() -> None:
    lesson, errors = lesson_from_url({"lock": ["epochs.seed,momentum", "seed", ""], "hide": ["view,,results"]})
    assert lesson == Lesson(("epochs", "seed", "momentum"), ("view", "results"))
    assert not errors


def test_unknown_names_are_reported_and_ignored() -> None:
    lesson, errors = lesson_from_url({"lock": ["epochs.speed.colour"], "hide": ["x" * 99]})
    assert lesson == Lesson(("epochs",))
    lock_error, hide_error = errors
    assert names_in_order(lock_error, "'speed'", "lock", "seed (Seed)")
    assert names_in_order(hide_error, f"'{'x' * 40}'", "hide", "Share")


def test_titles_are_suggested_by_their_names() -> None:
    for parameter, name, suggestion in (
        ("lock", "everything", "all (Everything)"),
        ("lock", "BN momentum", "momentum (BN momentum)"),
        ("hide", "Answer and results table", "results (Answer and results table)"),
    ):
        lesson, (error,) = lesson_from_url({parameter: [name]})
        assert lesson == Lesson()
        assert names_in_order(error, f"'{name}'", parameter, suggestion)


@given(st.dictionaries(st.sampled_from(["lock", "hide"]), st.lists(st.text(max_size=20), max_size=3)))
def test_any_parameters_give_a_lesson(parameters: dict[str, list[str]]) -> None:
    lesson, errors = lesson_from_url(parameters)
    assert set(lesson.lock) <= set(FIELDS)
    assert set(lesson.hide) <= set(PARTS)
    assert len(errors) <= 2
    assert lesson_from_url(lesson_to_url(lesson)) == (lesson, [])


@pytest.mark.parametrize("field", RunSpec.model_fields)
def test_everything_locks_every_field(field: str) -> None:
    assert Lesson(lock=(ALL_FIELDS,)).locks(field)
    assert Lesson(lock=(field,)).locks(field)
    assert not Lesson(lock=tuple(name for name in RunSpec.model_fields if name != field)).locks(field)
    assert not Lesson().locks(field)


@pytest.mark.parametrize("part", PARTS)
def test_hidden_parts(part: str) -> None:
    assert Lesson(hide=(part,)).hides(part)
    assert not Lesson(lock=(ALL_FIELDS,), hide=tuple(set(PARTS) - {part})).hides(part)


def test_every_part_has_title_and_description() -> None:
    assert all(part.title and part.description.endswith(".") for part in PARTS.values())
