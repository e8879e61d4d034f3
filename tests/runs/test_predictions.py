"""Predictions in the store."""

import pytest

from bnlab.runs import predictions as module
from bnlab.runs.predictions import (
    PredictionError,
    are_results_hidden,
    are_results_revealed,
    count_predictions,
    read_predictions,
    reveal_results,
    save_prediction,
    visitors_prediction,
)
from bnlab.runs.shares import NO_VISITOR
from bnlab.runs.store import Store
from bnlab.specs.prediction import NO_DIFFERENCE, LearnerPrediction

MINE, OTHER = LearnerPrediction("BN", "small"), LearnerPrediction(NO_DIFFERENCE)


def test_each_visitor_has_one_prediction_per_lesson(store: Store) -> None:
    save_prediction(store, "first", "ann", OTHER)
    save_prediction(store, "first", "bob", OTHER)
    save_prediction(store, "second", "ann", OTHER)
    save_prediction(store, "first", "ann", MINE)
    assert visitors_prediction(store, "first", "ann") == MINE
    assert visitors_prediction(store, "second", "bob") is None
    assert read_predictions(store, "first") == [OTHER, MINE], "the latest is the last"
    assert [count_predictions(store, lesson) for lesson in ("first", "second", "third")] == [2, 1, 0]


def test_revealing_closes_the_predictions_of_its_lesson(store: Store) -> None:
    save_prediction(store, "first", "ann", MINE)
    for _ in range(2):  # a second press changes nothing
        reveal_results(store, "first")
    assert [are_results_revealed(store, lesson) for lesson in ("first", "second")] == [True, False]
    assert [are_results_hidden(store, lesson) for lesson in ("first", "second", "")] == [False, True, False]
    for visitor in ("ann", "bob"):
        with pytest.raises(PredictionError, match="closed"):
            save_prediction(store, "first", visitor, OTHER)
    assert read_predictions(store, "first") == [MINE]
    save_prediction(store, "second", "ann", OTHER)


def test_who_is_not_known_and_who_comes_too_late_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PredictionError, match="cookies"):
        save_prediction(store, "first", NO_VISITOR, MINE)
    monkeypatch.setattr(module, "MAX_PREDICTIONS", 1)
    save_prediction(store, "first", "ann", MINE)
    with pytest.raises(PredictionError, match="1 predictions"):
        save_prediction(store, "first", "bob", MINE)
    save_prediction(store, "first", "ann", OTHER)
    assert read_predictions(store, "first") == [OTHER]
