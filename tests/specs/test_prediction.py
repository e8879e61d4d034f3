"""Predictions in lessons: sizes, tallies, and the key that reveals."""

import pytest

from bnlab.specs.prediction import (
    NO_DIFFERENCE,
    SIZES,
    LearnerPrediction,
    is_lesson_id,
    lesson_id,
    new_key,
    size_of,
    tally_predictions,
)


@pytest.mark.parametrize(
    ("difference", "size"),
    [(0.0, "small"), (0.0049, "small"), (0.005, "medium"), (0.02, "large"), (0.1, "huge"), (1.0, "huge")],
)
def test_each_difference_has_one_size(difference: float, size: str) -> None:
    assert size_of(difference) == size


def test_sizes_increase() -> None:
    limits = [size.limit for size in SIZES.values()]
    assert limits == sorted(set(limits))
    assert limits[-1] == 1


def test_predictions_are_counted_by_choice_and_size() -> None:
    predictions = [
        LearnerPrediction("A", "small"),
        LearnerPrediction("A", "huge"),
        LearnerPrediction(NO_DIFFERENCE),
        LearnerPrediction("Gone", "huge"),
    ]
    tally = tally_predictions(predictions, ["B", "A"])
    assert tally.choices == {"B": 0, "A": 2, NO_DIFFERENCE: 1}
    assert tally.sizes == {"small": 1, "medium": 0, "large": 0, "huge": 1}
    assert tally.total == 3


def test_a_key_reveals_its_lesson_alone() -> None:
    keys = [new_key() for _ in range(20)]
    assert len(set(map(lesson_id, keys))) == 20
    assert all(is_lesson_id(lesson_id(key)) and not is_lesson_id(key) for key in keys)
    assert not is_lesson_id(lesson_id(keys[0]) + "\n")
