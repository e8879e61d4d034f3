"""Measures of specs and of recorded runs."""

from pathlib import Path

import pytest

from bnlab.claims.measures import (
    count_non_trainable_per_unit,
    count_operations,
    count_trainable_per_unit,
    final_accuracy,
    largest_rate,
    mean_gain,
    seconds_to_or_all,
    spread,
    steps_to_or_all,
)
from bnlab.runs.reader import Arrays, read_evaluations
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import make_evaluation, record_run

SPEC = RunSpec(train_examples=40, batch_size=4, epochs=2)  # 10 steps an epoch
ACCURACIES = ((0, 0.1), (4, 0.9), (8, 0.98), (10, 0.94), (20, 0.96))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


def record_measured_run(store: Store, state: RunState = RunState.COMPLETED, steps: int = 20) -> tuple[Run, Arrays]:
    """A run with ACCURACIES that took a tenth of a second per step, and its evaluations."""
    evaluations = tuple(make_evaluation(step, val_accuracy=accuracy) for step, accuracy in ACCURACIES if step <= steps)
    run = record_run(store, SPEC, (1.0,) * steps, evaluations, state)
    return run, read_evaluations(store, [run])[run.digest]


def test_final_accuracy_is_the_last_one_in_percent(store: Store) -> None:
    assert final_accuracy(*record_measured_run(store)) == pytest.approx(96)


def test_diverged_run_has_the_accuracy_of_a_guess(store: Store) -> None:
    assert final_accuracy(*record_measured_run(store, RunState.DIVERGED, 9)) == 10


def test_steps_and_seconds_to_an_accuracy_that_is_reached(store: Store) -> None:
    run, evaluations = record_measured_run(store)
    assert steps_to_or_all(0.95)(run, evaluations) == pytest.approx(6.5)
    assert seconds_to_or_all(0.95)(run, evaluations) == pytest.approx(0.65)


def test_all_planned_steps_and_seconds_to_an_accuracy_that_is_not_reached(store: Store) -> None:
    diverged = record_measured_run(store, RunState.DIVERGED, 5)
    assert steps_to_or_all(0.99)(*diverged) == 20
    assert seconds_to_or_all(0.99)(*diverged) == pytest.approx(2.0)


@pytest.mark.parametrize("changes", [{"input_normalization": True}, {"placement": "after_activation"}])
def test_bn_has_two_trainable_and_two_non_trainable_parameters_per_unit(changes: dict[str, object]) -> None:
    spec = RunSpec(**changes)
    assert (count_trainable_per_unit(spec), count_non_trainable_per_unit(spec)) == (2, 2)
    assert count_trainable_per_unit(RunSpec(**changes, center=False)) == 1
    assert count_trainable_per_unit(RunSpec()) == count_non_trainable_per_unit(RunSpec()) == 0


def test_operations_of_dense_and_bn_layers() -> None:
    dense = 2 * 784 * 8 + 8 + 2 * 8 * 10 + 10
    assert count_operations(RunSpec(hidden_units=(8,))) == dense
    assert count_operations(RunSpec(hidden_units=(8,), placement="before_activation")) == dense + 2 * 8
    assert count_operations(RunSpec(hidden_units=(8,), use_bias=False, input_normalization=True)) == dense - 8 + 2 * 784


def test_aggregates() -> None:
    assert spread([90.0, 10.0, 50.0]) == 80
    assert mean_gain([90.0, 95.0, 80.0, 81.0]) == 3


def test_largest_rate_is_the_last_of_the_grid_that_trains() -> None:
    assert largest_rate([95, 96, 80, 79.9, 10, 85, 10]) == 30, "whatever smaller rates do"
    assert largest_rate([95, 96, 80, 79.9, 10, 10, 10]) == 1
    assert largest_rate([79.9] * 7) == 0
    with pytest.raises(ValueError, match="zip"):
        largest_rate([95.0])
