"""Diagnostics of a spec as tables."""

import numpy as np
import psutil
import pytest

from bnlab.runs.diagnostics import (
    PROFILE_COLUMNS,
    SENSITIVITY_COLUMNS,
    SHIFT_COLUMNS,
    STATISTICS_COLUMNS,
    TIMING_COLUMNS,
    depth_profile,
    measure_covariate_shift,
    measure_depth_profile,
    measure_epoch_time,
    measure_layer_statistics,
    measure_perturbation,
    take_depth_profiles,
)
from bnlab.runs.measurements import read_measurements
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.training.trainer import Trainer
from tests.one_thread import one_thread, without_xla

__all__ = ["one_thread", "without_xla"]

SPEC = RunSpec(placement="before_activation", hidden_units=(9, 7), train_examples=300, epochs=1)


def test_layer_statistics_have_a_row_per_step_and_hidden_layer() -> None:
    frame = measure_layer_statistics(SPEC, [0, 3])
    assert list(frame.columns) == ["step", "depth", "layer", *STATISTICS_COLUMNS]
    assert frame[["step", "depth", "layer"]].values.tolist() == [
        [step, depth, f"dense_{depth}"] for step in (0, 3) for depth in (1, 2)
    ]
    assert np.isfinite(frame[[*STATISTICS_COLUMNS]].to_numpy()).all()


def test_covariate_shift_has_a_row_per_step_and_layer_with_a_kernel() -> None:
    frame = measure_covariate_shift(SPEC, [0, 2])
    assert list(frame.columns) == ["step", "depth", "layer", *SHIFT_COLUMNS]
    assert frame["layer"].tolist() == ["dense_1", "dense_2", "output"] * 2
    assert frame["step"].tolist() == [0] * 3 + [2] * 3


def test_depth_profile_combines_statistics_and_shift() -> None:
    frame, shifts = measure_depth_profile(SPEC, [0, 2]), measure_covariate_shift(SPEC, [0, 2])
    assert list(frame.columns) == ["step", "depth", "layer", *PROFILE_COLUMNS]
    assert frame[["step", "layer"]].values.tolist() == [[s, f"dense_{d}"] for s in (0, 2) for d in (1, 2)]
    statistics = measure_layer_statistics(SPEC, [0, 2])
    np.testing.assert_array_equal(frame[statistics.columns], statistics)
    hidden = shifts[shifts["layer"] != "output"]
    assert frame["shift"].to_numpy() == pytest.approx((hidden["difference"] / hidden["gradient_norm"]).to_numpy())
    assert frame["turn"].to_numpy() == pytest.approx((1 - hidden["cosine"]).to_numpy(), abs=1e-12)
    assert (frame.loc[frame["depth"] == 1, "shift"] == 0).all(), "no variables precede the first layer"
    assert (frame.loc[frame["depth"] == 2, "shift"] > 0).all()


def test_depth_profiles_are_stored_by_step_after_one_training(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[RunSpec] = []

    def count(spec: RunSpec) -> Trainer:
        built.append(spec)
        return Trainer(spec)

    monkeypatch.setattr("bnlab.training.trainer.Trainer", count)
    take_depth_profiles(store.url, SPEC, [0, 2])
    assert built == [SPEC]
    measurements = [depth_profile(SPEC, step) for step in (0, 2)]
    assert [measurement.key for measurement in measurements] == ["depth_profile:0", "depth_profile:2"]
    tables = read_measurements(store, measurements)
    assert [tables[measurement]["step"].unique().tolist() for measurement in measurements] == [[0], [2]]


def test_perturbation_has_a_row_per_quantity() -> None:
    frame = measure_perturbation(SPEC, [5], 0.05)
    assert list(frame.columns) == list(SENSITIVITY_COLUMNS)
    assert len(frame) == 6
    assert frame.set_index("quantity").loc["moving_mean", "training"] == 0
    assert measure_perturbation(SPEC.model_copy(update={"placement": "none"}), [0], 0.05).empty


def test_epoch_time_is_that_of_all_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    from bnlab.training.diagnostics import timing

    monkeypatch.setattr(timing, "time_steps", lambda _: timing.StepTimes(0.5, 0.25))
    frame = measure_epoch_time(SPEC)
    assert frame[[*TIMING_COLUMNS]].values.tolist() == [[0.5 * SPEC.steps_per_epoch, 0.25 * SPEC.steps_per_epoch]]


@pytest.mark.workers
def test_a_worker_measures(store: Store, scheduler: str) -> None:
    task_scheduler = Scheduler(store, scheduler=scheduler)
    try:
        futures = [
            task_scheduler.submit(measure_layer_statistics, SPEC, [0]),
            task_scheduler.submit(measure_covariate_shift, SPEC, [0]),
            task_scheduler.submit(measure_perturbation, SPEC, [0], 0.1),
        ]
        assert [len(future.result(timeout=120)) for future in futures] == [2, 3, 6]
    finally:
        task_scheduler.close()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_networks_that_were_measured() -> None:
    """TensorFlow would keep about 10 MB of each of these."""
    spec = SPEC.model_copy(update={"hidden_units": (20,) * 20, "activation": "sigmoid"})

    def megabytes_after(seeds: range) -> float:
        for seed in seeds:
            measure_layer_statistics(spec.model_copy(update={"seed": seed}), [0])
        return psutil.Process().memory_info().rss / 1e6

    first = megabytes_after(range(3))
    assert megabytes_after(range(3, 13)) - first < 30
