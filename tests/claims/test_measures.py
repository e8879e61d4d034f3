"""The numbers that claims are decided by, on runs whose records are known."""

from pathlib import Path

import pytest

from bnlab.claims.measures import (
    final_accuracy,
    mean_gain,
    count_non_trainable_per_unit,
    count_operations,
    seconds_to_or_all,
    spread,
    steps_to_or_all,
    count_trainable_per_unit,
)
from bnlab.runs.reader import Arrays, read_evaluations
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.recording import moment, record

SPEC = RunSpec(train_examples=40, batch_size=4, epochs=2)  # 10 steps an epoch
ACCURACIES = ((0, 0.1), (4, 0.9), (8, 0.98), (10, 0.94), (20, 0.96))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


def ended(store: Store, state: RunState = RunState.COMPLETED, steps: int = 20) -> tuple[Run, Arrays]:
    """A run with ACCURACIES at a tenth of a second per step."""
    moments = tuple(moment(step, val_accuracy=accuracy) for step, accuracy in ACCURACIES if step <= steps)
    run = record(store, SPEC, (1.0,) * steps, moments, state)
    return run, read_evaluations(store, [run])[run.digest]


def test_final_accuracy_is_the_last_in_percent(store: Store) -> None:
    assert final_accuracy(*ended(store)) == pytest.approx(96)


def test_a_diverged_run_counts_as_a_guess(store: Store) -> None:
    assert final_accuracy(*ended(store, RunState.DIVERGED, 9)) == 10


def test_an_accuracy_that_is_reached_counts_with_its_steps(store: Store) -> None:
    evidence = ended(store)
    assert steps_to_or_all(0.95)(*evidence) == pytest.approx(6.5)
    assert seconds_to_or_all(0.95)(*evidence) == pytest.approx(0.65)


def test_an_accuracy_that_is_never_reached_counts_with_all_planned_steps(store: Store) -> None:
    diverged = ended(store, RunState.DIVERGED, 5)
    assert steps_to_or_all(0.99)(*diverged) == 20
    assert seconds_to_or_all(0.99)(*diverged) == pytest.approx(2.0)


@pytest.mark.parametrize("changes", [{"input_normalization": True}, {"placement": "after_activation"}])
def test_bn_has_four_parameters_a_unit_two_of_them_trainable(changes: dict[str, object]) -> None:
    spec = RunSpec(**changes)
    assert (count_trainable_per_unit(spec), count_non_trainable_per_unit(spec)) == (2, 2)
    assert count_trainable_per_unit(RunSpec(**changes, center=False)) == 1
    assert count_trainable_per_unit(RunSpec()) == count_non_trainable_per_unit(RunSpec()) == 0


def test_operations_are_counted_by_hand() -> None:
    dense = 2 * 784 * 8 + 8 + 2 * 8 * 10 + 10
    assert count_operations(RunSpec(hidden_units=(8,))) == dense
    assert count_operations(RunSpec(hidden_units=(8,), placement="before_activation")) == dense + 2 * 8
    assert count_operations(RunSpec(hidden_units=(8,), use_bias=False, input_normalization=True)) == dense - 8 + 2 * 784


def test_several_numbers_become_one() -> None:
    assert spread([90.0, 10.0, 50.0]) == 80
    assert mean_gain([90.0, 95.0, 80.0, 81.0]) == 3
