"""Predictions in lessons: what learners expect of a comparison before they see its results."""

import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NO_DIFFERENCE = ""
"""The choice that no variant wins."""
NO_DIFFERENCE_TITLE = "No difference between the best two"
_ID_LENGTH = 16
_ID = re.compile(rf"[0-9a-f]{{{_ID_LENGTH}}}")


@dataclass(frozen=True)
class Margin:
    """A step of how far the best variant ends above the next one; `limit` is where it ends, as a share from 0 to 1."""

    title: str
    limit: float


SIZES: dict[str, Margin] = {
    "small": Margin("less than 0.5 points", 0.005),
    "medium": Margin("0.5 to 2 points", 0.02),
    "large": Margin("2 to 10 points", 0.1),
    "huge": Margin("more than 10 points", 1.0),
}
"""By their ids, which are stored; the differences are of the final validation accuracy, in points of a percent."""


@dataclass(frozen=True)
class LearnerPrediction:
    """The label of the variant that is expected to win, or `NO_DIFFERENCE`, and by how much: an id of `SIZES`."""

    choice: str
    size: str = ""


@dataclass(frozen=True)
class Tally:
    """How many learners chose each of the variants and `NO_DIFFERENCE`, and each size."""

    choices: dict[str, int]
    sizes: dict[str, int]

    @property
    def total(self) -> int:
        """How many predictions are counted."""
        return sum(self.choices.values())


def tally_predictions(predictions: Iterable[LearnerPrediction], labels: Sequence[str]) -> Tally:
    """Count the predictions on the variants `labels`; those on others, from a changed link, are left out."""
    options = (*labels, NO_DIFFERENCE)
    counted = [prediction for prediction in predictions if prediction.choice in options]
    choices = Counter(prediction.choice for prediction in counted)
    sizes = Counter(prediction.size for prediction in counted if prediction.choice != NO_DIFFERENCE)
    return Tally({option: choices[option] for option in options}, {name: sizes[name] for name in SIZES})


def size_of(difference: float) -> str:
    """The id of the step that holds a difference, as a share from 0 to 1."""
    return next((name for name, size in SIZES.items() if difference < size.limit), list(SIZES)[-1])


def new_key() -> str:
    """A random key that reveals the results of a new lesson."""
    return secrets.token_urlsafe(12)


def lesson_id(key: str) -> str:
    """The id of the lesson that `key` reveals. The link for learners has the id, from which the key cannot be told."""
    return hashlib.sha256(key.encode()).hexdigest()[:_ID_LENGTH]


def is_lesson_id(text: str) -> bool:
    """Whether `text` has the form of a lesson's id."""
    return _ID.fullmatch(text) is not None
