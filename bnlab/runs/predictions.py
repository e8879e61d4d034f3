"""Predictions in lessons: one per lesson and visitor, which can be changed until the results are revealed."""

import time
from contextlib import suppress

from sqlalchemy import Connection, func, insert, select, update

from bnlab.runs.errors import ConflictError
from bnlab.runs.schema import lesson_predictions, lesson_reveals
from bnlab.runs.shares import NO_VISITOR
from bnlab.runs.store import Store
from bnlab.specs.prediction import LearnerPrediction

MAX_PREDICTIONS = 1_000
"""The largest number of predictions in one lesson."""


class PredictionError(ValueError):
    """A prediction is not taken; its text is a sentence for the user."""


def save_prediction(store: Store, lesson: str, visitor: str, prediction: LearnerPrediction) -> None:
    """Store the prediction of a visitor, in place of an earlier one.

    Raises:
        PredictionError: the results are revealed, the visitor is not known, or the lesson is full.
    """
    if visitor == NO_VISITOR:
        raise PredictionError("Allow cookies for this page: without them a prediction cannot be told from others.")
    chosen = (lesson_predictions.c.lesson == lesson) & (lesson_predictions.c.visitor == visitor)
    values = {"choice": prediction.choice, "size": prediction.size, "predicted_at": time.time()}
    # The error means that a second press has just stored it.
    with suppress(ConflictError), store.engine.begin() as connection:
        # The write comes first, so that SQLite takes its lock before anything is read.
        is_changed = connection.execute(update(lesson_predictions).where(chosen).values(values)).rowcount
        if _is_revealed(connection, lesson):
            raise PredictionError("The results have been revealed, so predictions are closed.")
        if is_changed:
            return
        if _count(connection, lesson) >= MAX_PREDICTIONS:
            raise PredictionError(f"A lesson takes {MAX_PREDICTIONS:,} predictions, and this one has them.")
        connection.execute(insert(lesson_predictions).values(lesson=lesson, visitor=visitor, **values))


def visitors_prediction(store: Store, lesson: str, visitor: str) -> LearnerPrediction | None:
    """What a visitor predicts in a lesson; None if nothing yet."""
    columns = lesson_predictions.c
    query = select(columns.choice, columns.size).where(columns.lesson == lesson, columns.visitor == visitor)
    with store.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else LearnerPrediction(row.choice, row.size)


def read_predictions(store: Store, lesson: str) -> list[LearnerPrediction]:
    """All predictions of a lesson, the oldest first."""
    columns = lesson_predictions.c
    query = select(columns.choice, columns.size).where(columns.lesson == lesson).order_by(columns.predicted_at)
    with store.engine.connect() as connection:
        return [LearnerPrediction(row.choice, row.size) for row in connection.execute(query)]


def count_predictions(store: Store, lesson: str) -> int:
    """How many visitors have predicted in a lesson."""
    with store.engine.connect() as connection:
        return _count(connection, lesson)


def reveal_results(store: Store, lesson: str) -> None:
    """Show the results of a lesson to everybody from now on."""
    with suppress(ConflictError), store.engine.begin() as connection:
        connection.execute(insert(lesson_reveals).values(lesson=lesson, revealed_at=time.time()))


def are_results_revealed(store: Store, lesson: str) -> bool:
    """Whether the results of a lesson are shown."""
    with store.engine.connect() as connection:
        return _is_revealed(connection, lesson)


def are_results_hidden(store: Store, lesson: str) -> bool:
    """Whether the lesson asks for a prediction, so that it has an id, and its results have not been revealed."""
    return bool(lesson) and not are_results_revealed(store, lesson)


def predictions_text(number: int) -> str:
    """How many predictions there are, for pages."""
    return f"{number or 'No'} prediction{'' if number == 1 else 's'} so far."


def _is_revealed(connection: Connection, lesson: str) -> bool:
    query = select(lesson_reveals.c.lesson).where(lesson_reveals.c.lesson == lesson)
    return connection.scalar(query) is not None


def _count(connection: Connection, lesson: str) -> int:
    query = select(func.count()).where(lesson_predictions.c.lesson == lesson)
    return int(connection.scalar(query) or 0)
