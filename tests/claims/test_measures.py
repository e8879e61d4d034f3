"""The numbers that claims are decided by, on runs whose records are known."""

import math
from pathlib import Path

import pandas as pd
import pytest

from bnlab.claims.measures import (
    final_accuracy,
    gain,
    non_trainable_a_unit,
    operations,
    seconds_per_epoch,
    seconds_to,
    spread,
    steps_to,
    trainable_a_unit,
)
from bnlab.runs.frames import moments_frame
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec
from tests.recording import moment, record

SPEC = RunSpec(train_examples=40, batch_size=4, epochs=2)  # 10 steps an epoch
ACCURACIES = ((0, 0.1), (4, 0.9), (8, 0.98), (10, 0.94), (20, 0.96))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


def ended(store: Store, state: RunState = RunState.COMPLETED, steps: int = 20) -> tuple[Run, pd.DataFrame]:
    """A run with ACCURACIES at a tenth of a second a step."""
    moments = tuple(moment(step, val_accuracy=accuracy) for step, accuracy in ACCURACIES if step <= steps)
    run = record(store, SPEC, (1.0,) * steps, moments, state)
    return run, moments_frame(store, [run])


def test_final_accuracy_is_the_last_in_percent(store: Store) -> None:
    assert final_accuracy(*ended(store)) == pytest.approx(96)


def test_a_diverged_run_counts_as_a_guess(store: Store) -> None:
    assert final_accuracy(*ended(store, RunState.DIVERGED, 9)) == 10


def test_a_target_is_reached_between_two_moments(store: Store) -> None:
    evidence = ended(store)
    # 0.95 lies 5 / 8 of the way from 0.9 after 4 steps to 0.98 after 8.
    assert steps_to(0.95)(*evidence) == pytest.approx(6.5)
    assert seconds_to(0.95)(*evidence) == pytest.approx(0.65)
    assert steps_to(0.1)(*evidence) == 0


def test_a_target_that_is_never_reached_counts_the_whole_planned_length(store: Store) -> None:
    diverged = ended(store, RunState.DIVERGED, 5)
    assert steps_to(0.99)(*diverged) == 20
    assert seconds_to(0.99)(*diverged) == pytest.approx(2.0)


def test_seconds_an_epoch_are_those_of_the_fastest(store: Store) -> None:
    run, moments = ended(store)
    assert seconds_per_epoch(run, moments) == pytest.approx(1.0)
    disturbed = moments.assign(seconds=[0.0, 0.4, 3.0, 4.0, 4.8])
    assert seconds_per_epoch(run, disturbed) == pytest.approx(0.8)


def test_a_run_that_diverged_in_its_first_epoch_has_the_pace_it_had(store: Store) -> None:
    assert seconds_per_epoch(*ended(store, RunState.DIVERGED, 5)) == pytest.approx(1.0)
    nothing = record(store, SPEC.model_copy(update={"seed": 1}), state=RunState.DIVERGED)
    assert math.isnan(seconds_per_epoch(nothing, moments_frame(store, [nothing])))


@pytest.mark.parametrize("changes", [{"input_normalization": True}, {"placement": "after_activation"}])
def test_bn_has_four_parameters_a_unit_two_of_them_trainable(changes: dict[str, object]) -> None:
    spec = RunSpec(**changes)
    assert (trainable_a_unit(spec), non_trainable_a_unit(spec)) == (2, 2)
    assert trainable_a_unit(RunSpec(**changes, center=False)) == 1
    assert trainable_a_unit(RunSpec()) == non_trainable_a_unit(RunSpec()) == 0


def test_operations_are_counted_by_hand() -> None:
    dense = 2 * 784 * 8 + 8 + 2 * 8 * 10 + 10
    assert operations(RunSpec(hidden_units=(8,))) == dense
    assert operations(RunSpec(hidden_units=(8,), placement="before_activation")) == dense + 2 * 8
    assert operations(RunSpec(hidden_units=(8,), use_bias=False, input_normalization=True)) == dense - 8 + 2 * 784


def test_several_numbers_become_one() -> None:
    assert spread([90.0, 10.0, 50.0]) == 80
    assert gain([90.0, 95.0, 80.0, 81.0]) == 3
