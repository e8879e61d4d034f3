"""Series of the runs in a store are cached until a run has new records."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bnlab.charts.series import Series, training_series, validation_series
from bnlab.runs.curves_cache import CurvesCache
from bnlab.runs.reader import evaluations_frame
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records
from tests.stored_runs import CheckpointStub, float32_array, make_evaluation, open_writer, record_run

SPECS = [RunSpec(train_examples=64, epochs=2, seed=seed) for seed in range(2)]


class Cached:
    """The series of one store."""

    def __init__(self, store: Store) -> None:
        self._cache = CurvesCache(store)

    def training(self, runs: Sequence[Run]) -> Series:
        return training_series(list(self._cache.read(runs).values()), 0.0)

    def validation(self, runs: Sequence[Run]) -> Series:
        return validation_series(list(self._cache.read(runs).values()))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


@pytest.fixture
def runs(store: Store) -> list[Run]:
    return [record_run(store, spec, (2.0, 1.0), (make_evaluation(0), make_evaluation(2, 0.5, 0.75))) for spec in SPECS]


def test_series_have_all_steps_and_evaluations(store: Store, runs: list[Run]) -> None:
    cached = Cached(store)
    training, validation = cached.training(runs[:1]), cached.validation(runs[:1])
    assert training.mean["loss"].tolist() == [2.0, 1.0]
    assert training.mean["epoch"].tolist() == [0.5, 1.0]
    assert training.mean["seconds"].tolist() == pytest.approx([0.1, 0.2])
    expected = evaluations_frame(store, runs[:1])[["step", "val_loss"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.DataFrame(validation.mean)[["step", "val_loss"]], expected)


def test_seeds_are_averaged_with_their_deviation(store: Store, runs: list[Run]) -> None:
    line = Cached(store).validation(runs)
    assert len(line.seeds) == 2
    assert line.mean["val_loss"].tolist() == [1.0, 0.5]
    assert line.mean["val_loss_sd"].tolist() == [0.0, 0.0]


def test_only_runs_with_new_steps_are_recomputed(store: Store, runs: list[Run]) -> None:
    cached = Cached(store)
    before = [(cached.training([run]), cached.validation([run])) for run in runs]
    grown = open_writer(store, SPECS[1])
    records = Records(2, float32_array(0.5, 0.25), float32_array(0.5, 0.5), [make_evaluation(4, 0.1)])
    grown.commit(records, CheckpointStub(4, 0.4), RunState.RUNNING)
    after = store.runs([spec.digest for spec in SPECS])
    assert cached.training(after[:1]) is before[0][0]
    assert cached.validation(after[:1]) is before[0][1]
    assert cached.training(after[1:]).mean["loss"].tolist() == [2.0, 1.0, 0.5, 0.25]
    assert cached.validation(after[1:]).mean["val_loss"].tolist() == [1.0, 0.5, np.float64(0.1)]


def test_validation_is_recomputed_only_after_an_evaluation(store: Store, runs: list[Run]) -> None:
    cached = Cached(store)
    before = cached.validation(runs[:1]), cached.training(runs[:1])
    open_writer(store, SPECS[0]).commit(
        Records(2, float32_array(0.5), float32_array(0.5)), CheckpointStub(3, 0.3), RunState.RUNNING
    )
    after = store.runs([SPECS[0].digest])
    assert cached.validation(after) is before[0]
    assert len(cached.training(after)) == len(before[1]) + 1


def test_seconds_never_decrease_when_evaluations_are_newer(store: Store, runs: list[Run]) -> None:
    cached = Cached(store)
    records = Records(2, float32_array(0.5, 0.25), float32_array(0.5, 0.5), [make_evaluation(4, 0.1)])
    open_writer(store, SPECS[0]).commit(records, CheckpointStub(4, 0.4), RunState.RUNNING)
    seconds = cached.training(runs[:1]).mean["seconds"]
    assert seconds.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_runs_without_records_have_no_points(store: Store) -> None:
    waiting = store.launch(SPECS[0], "waiting", "owner")
    cached = Cached(store)
    assert len(cached.training([waiting])) == 0
    assert len(cached.validation([waiting])) == 0
    assert len(cached.training([])) == 0
