"""Numbers read from handmade tables of measurements, and the verdicts that follow from them."""

import math
from pathlib import Path

import pandas as pd
import pytest

from bnlab.claims import worker_measures
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import WorkerMeasure, plan_experiment
from bnlab.claims.results import needed_measurements, read_result
from bnlab.claims.verdicts import Verdict
from bnlab.claims.worker_measures import (
    ADDED_MILLISECONDS_1,
    ADDED_MILLISECONDS_256,
    ADDED_SECONDS_PER_EPOCH,
    FOLDED_MILLISECONDS_1,
    FOLDED_MILLISECONDS_256,
    LOGIT_CHANGE,
    LOSS_CHANGES,
    MAX_DECADES,
    MILLISECONDS_1,
    MILLISECONDS_256,
    epoch_seconds,
    gradient_decades,
    gradient_shift,
    gradient_turn,
    gradients,
    largest_gradient,
    loss_changes,
    mean_loss_change,
    prediction_cost,
    prediction_frame,
    shifts,
)
from bnlab.runs.diagnostics import SENSITIVITY_COLUMNS
from bnlab.runs.folding import PredictionCost
from bnlab.runs.measurements import write_measurement
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec

CHANGES = pd.DataFrame(
    [
        (100, "gamma", -0.02, 0.03),
        (100, "beta", 0.01, 0.01),
        (100, "batch_mean", 0.01, 0.0),
        (100, "batch_variance", 0.01, 0.0),
        (100, "moving_mean", 0.0, 0.05),
        (100, "moving_variance", 0.0, 0.01),
    ],
    columns=list(SENSITIVITY_COLUMNS),
)
NO_CHANGES = pd.DataFrame(columns=list(SENSITIVITY_COLUMNS))
COST = PredictionCost({1: 0.0005, 256: 0.002}, {1: 0.0004, 256: 0.0015}, 2e-5)


def norms(*values: float, step: int = 0) -> pd.DataFrame:
    rows = [(step, depth, value) for depth, value in enumerate(values, start=1)]
    return pd.DataFrame(rows, columns=["step", "depth", "gradient_norm"])


def shifts_table(*rows: tuple[float, float, float], step: int = 10) -> pd.DataFrame:
    """Each row has gradient_norm, difference and cosine."""
    frame = pd.DataFrame(rows, columns=["gradient_norm", "difference", "cosine"])
    return frame.assign(step=step, depth=range(1, len(rows) + 1))


def test_mean_loss_change_is_absolute_and_zero_without_bn() -> None:
    assert mean_loss_change("gamma", "training")(CHANGES) == pytest.approx(0.02)
    assert mean_loss_change("gamma", "inference")(CHANGES) == pytest.approx(0.03)
    assert mean_loss_change("moving_mean", "training")(CHANGES) == 0
    assert mean_loss_change("gamma", "training")(NO_CHANGES) == 0


def test_gradient_decades_compare_the_first_and_the_last_layer() -> None:
    both = pd.concat([norms(0.01, 7.0, 1.0), norms(100.0, 7.0, 1.0, step=100)])
    assert gradient_decades(0)(both) == gradient_decades(100)(both) == pytest.approx(2)
    assert gradient_decades(0)(norms(1.0, 5.0, 1.0)) == 0


@pytest.mark.parametrize(("first", "last"), [(0.0, 1.0), (0.0, 0.0), (math.nan, 1.0), (1.0, math.inf), (1e-30, 1.0)])
def test_vanished_and_infinite_gradients_are_max_decades_apart(first: float, last: float) -> None:
    assert gradient_decades(0)(norms(first, 1.0, last)) == MAX_DECADES


@pytest.mark.parametrize(
    ("norm", "decades"), [(1e3, 3), (0.5, 0), (math.inf, MAX_DECADES), (math.nan, MAX_DECADES), (1e30, MAX_DECADES)]
)
def test_largest_gradient_is_that_of_any_layer(norm: float, decades: float) -> None:
    both = pd.concat([norms(1.0, norm, 0.1), norms(1e9, 1e9, 1e9, step=100)])
    assert largest_gradient(0)(both) == pytest.approx(decades)


def test_gradients_that_have_vanished_are_limited() -> None:
    assert largest_gradient(0)(norms(0.0, 0.0, 0.0)) == -MAX_DECADES


def test_shift_and_turn_are_means_without_the_first_layer() -> None:
    layers = pd.concat(
        [shifts_table((1, 0, 1), (2, 1, 0.9), (4, 1, 0.7)), shifts_table((1, 0, 1), (1, 3, -1), step=100)]
    )
    assert gradient_shift(10)(layers) == pytest.approx((50 + 25) / 2)
    assert gradient_shift(100)(layers) == pytest.approx(300)
    assert gradient_turn(10)(layers) == pytest.approx(0.2)
    assert gradient_turn(100)(layers) == pytest.approx(2)


def test_shift_and_turn_are_nan_for_a_zero_gradient() -> None:
    layers = shifts_table((1, 0, 1), (2, 1, 0.9), (0, 0, math.nan))
    assert math.isnan(gradient_shift(10)(layers))
    assert math.isnan(gradient_turn(10)(layers))


def test_prediction_measures_are_in_milliseconds() -> None:
    latencies = (MILLISECONDS_1, MILLISECONDS_256, FOLDED_MILLISECONDS_1, FOLDED_MILLISECONDS_256)
    measures = (*latencies, ADDED_MILLISECONDS_1, ADDED_MILLISECONDS_256, LOGIT_CHANGE)
    sources = [measure.source for measure in measures if isinstance(measure.source, WorkerMeasure)]
    assert [source.after_training for source in sources] == [True] * 7
    assert [source.value(prediction_frame(COST)) for source in sources] == pytest.approx(
        [0.5, 2.0, 0.4, 1.5, 0.1, 0.5, 2e-5]
    )


def test_added_seconds_per_epoch() -> None:
    source = ADDED_SECONDS_PER_EPOCH.source
    assert isinstance(source, WorkerMeasure)
    assert not source.after_training
    assert source.value(pd.DataFrame({"seconds": [0.75], "without": [0.5]})) == 0.25


def test_measurements_call_the_diagnostics(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []
    for name in (
        "measure_perturbation",
        "measure_layer_statistics",
        "measure_covariate_shift",
        "measure_prediction",
        "measure_epoch_time",
    ):
        monkeypatch.setattr(
            worker_measures, name, lambda *arguments, name=name: calls.append((name, *arguments)) or COST
        )
    spec = RunSpec()
    factories = (loss_changes, gradients, shifts, prediction_cost, epoch_seconds)
    measurements = [factory(spec) for factory in factories]
    assert [measurement.key for measurement in measurements] == [
        "loss_changes", "gradients", "shifts", "prediction", "epoch_seconds",
    ]  # fmt: skip
    for measurement in measurements:
        measurement.function("sqlite://", measurement.spec, *measurement.arguments)
    assert calls == [
        ("measure_perturbation", spec, [100], 0.1),
        ("measure_layer_statistics", spec, [0, 1, 100]),
        ("measure_covariate_shift", spec, (10, 100)),
        ("measure_prediction", "sqlite://", spec.digest),
        ("measure_epoch_time", spec),
    ]


def test_verdict_on_o3_distinguishes_the_modes(tmp_path: Path) -> None:
    experiment, store = plan_experiment(CLAIMS["O3"], "quick", range(3)), Store(f"sqlite:///{tmp_path / 'bnlab.db'}")
    measurements = needed_measurements(experiment)
    assert len(measurements) == 2 * 3  # one per network and seed
    for measurement in measurements:
        write_measurement(store, measurement, NO_CHANGES if measurement.spec.placement == "none" else CHANGES)
    result = read_result(store, experiment)
    assert result.verdict is Verdict.CONDITIONAL
    assert [condition.id for condition in result.by_verdict[Verdict.NO_DIFFERENCE]] == [
        "batch_mean_inference", "batch_variance_inference", "moving_mean_training", "moving_variance_training",
    ]  # fmt: skip
    assert len(result.by_verdict[Verdict.SUPPORTED]) == len(LOSS_CHANGES) - 4


def test_gradients_are_measured_once_per_network_for_all_steps() -> None:
    claim = CLAIMS["A3"]
    networks = {spec for condition in claim.all_conditions for arm in condition.arms for spec in arm.specs}
    depths, kinds, with_large_kernels = 5, 3, 1
    assert len(networks) == 2 * (depths * kinds + with_large_kernels)
    assert len(needed_measurements(plan_experiment(claim))) == len(networks) * 5
    assert len(claim.all_conditions) == 3 * depths * kinds + with_large_kernels
