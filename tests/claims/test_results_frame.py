"""A trial as a table."""

import pytest

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import plan_experiment
from bnlab.claims.results import COLUMNS, TrainingCost, conditions_frame, judge_experiment


def test_a_row_a_condition_with_its_numbers() -> None:
    claim = CLAIMS["A1"]
    numbers = {condition.id: ([97.0, 97.4], [97.5, 98.1]) for condition in claim.all_conditions}
    trial = judge_experiment(plan_experiment(claim, "quick", range(3, 5)), numbers, TrainingCost(12, 0, 100, 1.0))
    frame = conditions_frame(trial)
    assert tuple(frame.columns) == COLUMNS
    assert frame["condition"].tolist() == [condition.title for condition in claim.all_conditions]
    assert frame["id"].tolist() == [condition.id for condition in claim.all_conditions]
    assert frame["decides"].tolist() == [True, True, False, False]
    first = frame.iloc[0]
    assert (first["control"], first["treatment"], first["mean"]) == pytest.approx((97.2, 97.8, 0.6))
    assert first["differences"] == pytest.approx([0.5, 0.7])
    assert first["seeds"] == [3, 4]
    assert first["low"] < 0.6 < first["high"]
    assert (first["verdict"], first["unit"]) == (str(trial.results[0].verdict), "points")
