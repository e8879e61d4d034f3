"""The numbers that are read from workers' measurements, on tables made by hand, and the verdicts that follow."""

import math
from pathlib import Path

import pandas as pd
import pytest

from bnlab.claims import measures as probed
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.measures import (
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
    decades_apart,
    epoch_seconds,
    gradient_turn,
    gradients,
    loss_change,
    loss_changes,
    prediction,
    prediction_frame,
    relative_shift,
    shifts,
)
from bnlab.claims.model import WorkerMeasure, plan_experiment
from bnlab.claims.results import needed_measurements, read_result
from bnlab.claims.verdicts import Verdict
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
NOTHING = pd.DataFrame(columns=list(SENSITIVITY_COLUMNS))
COST = PredictionCost({1: 0.0005, 256: 0.002}, {1: 0.0004, 256: 0.0015}, 2e-5)


def norms(*values: float, step: int = 0) -> pd.DataFrame:
    rows = [(step, depth, value) for depth, value in enumerate(values, start=1)]
    return pd.DataFrame(rows, columns=["step", "depth", "gradient_norm"])


def shift_rows(*rows: tuple[float, float, float], step: int = 10) -> pd.DataFrame:
    """Each row is gradient_norm, difference, cosine."""
    frame = pd.DataFrame(rows, columns=["gradient_norm", "difference", "cosine"])
    return frame.assign(step=step, depth=range(1, len(rows) + 1))


def test_the_loss_moves_up_or_down_and_not_at_all_without_bn() -> None:
    assert loss_change("gamma", "training")(CHANGES) == pytest.approx(0.02)
    assert loss_change("gamma", "inference")(CHANGES) == pytest.approx(0.03)
    assert loss_change("moving_mean", "training")(CHANGES) == 0
    assert loss_change("gamma", "training")(NOTHING) == 0


def test_decades_lie_between_the_first_layer_and_the_last_in_either_direction() -> None:
    both = pd.concat([norms(0.01, 7.0, 1.0), norms(100.0, 7.0, 1.0, step=100)])
    assert decades_apart(0)(both) == decades_apart(100)(both) == pytest.approx(2)
    assert decades_apart(0)(norms(1.0, 5.0, 1.0)) == 0


@pytest.mark.parametrize(("first", "last"), [(0.0, 1.0), (0.0, 0.0), (math.nan, 1.0), (1.0, math.inf), (1e-30, 1.0)])
def test_gradients_that_are_gone_are_as_far_apart_as_can_be_told(first: float, last: float) -> None:
    assert decades_apart(0)(norms(first, 1.0, last)) == MAX_DECADES


def test_the_shift_is_the_mean_over_the_layers_that_have_one_before_them() -> None:
    layers = pd.concat([shift_rows((1, 0, 1), (2, 1, 0.9), (4, 1, 0.7)), shift_rows((1, 0, 1), (1, 3, -1), step=100)])
    assert relative_shift(10)(layers) == pytest.approx((50 + 25) / 2)
    assert relative_shift(100)(layers) == pytest.approx(300)
    assert gradient_turn(10)(layers) == pytest.approx(0.2)
    assert gradient_turn(100)(layers) == pytest.approx(2)


def test_a_shift_that_is_not_a_number_stays_none() -> None:
    layers = shift_rows((1, 0, 1), (2, 1, 0.9), (0, 0, math.nan))
    assert math.isnan(relative_shift(10)(layers))
    assert math.isnan(gradient_turn(10)(layers))


def test_predictions_cost_milliseconds() -> None:
    whole = (MILLISECONDS_1, MILLISECONDS_256, FOLDED_MILLISECONDS_1, FOLDED_MILLISECONDS_256)
    measures = (*whole, ADDED_MILLISECONDS_1, ADDED_MILLISECONDS_256, LOGIT_CHANGE)
    sources = [measure.source for measure in measures if isinstance(measure.source, WorkerMeasure)]
    assert [source.after_training for source in sources] == [True] * 7
    assert [source.value(prediction_frame(COST)) for source in sources] == pytest.approx(
        [0.5, 2.0, 0.4, 1.5, 0.1, 0.5, 2e-5]
    )


def test_an_epoch_costs_seconds() -> None:
    source = ADDED_SECONDS_PER_EPOCH.source
    assert isinstance(source, WorkerMeasure)
    assert not source.after_training
    assert source.value(pd.DataFrame({"seconds": [0.75], "without": [0.5]})) == 0.25


def test_workers_measure_at_the_steps_that_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[object, ...]] = []
    for name in ("measure_perturbation", "xray_spec", "measure_ics", "measure_prediction", "measure_epoch"):
        monkeypatch.setattr(probed, name, lambda *arguments, name=name: called.append((name, *arguments)) or COST)
    spec = RunSpec()
    measurements = [of(spec) for of in (loss_changes, gradients, shifts, prediction, epoch_seconds)]
    assert [measurement.key for measurement in measurements] == [
        "loss_changes", "gradients", "shifts", "prediction", "epoch_seconds",
    ]  # fmt: skip
    for measurement in measurements:
        measurement.function("sqlite://", measurement.spec, *measurement.arguments)
    assert called == [
        ("measure_perturbation", spec, [100], 0.1),
        ("xray_spec", spec, [0, 1, 100]),
        ("measure_ics", spec, (10, 100)),
        ("measure_prediction", "sqlite://", spec.digest),
        ("measure_epoch", spec),
    ]


def test_the_loss_does_not_depend_on_what_its_mode_does_not_use(tmp_path: Path) -> None:
    experiment, store = plan_experiment(CLAIMS["O3"], "quick", range(3)), Store(f"sqlite:///{tmp_path / 'bnlab.db'}")
    measurements = needed_measurements(experiment)
    assert len(measurements) == 2 * 3  # one per network and seed, however many numbers are read from it
    for measurement in measurements:
        write_measurement(store, measurement, NOTHING if measurement.spec.placement == "none" else CHANGES)
    trial = read_result(store, experiment)
    assert trial.verdict is Verdict.CONDITIONAL
    assert [condition.id for condition in trial.by_verdict[Verdict.NO_DIFFERENCE]] == [
        "batch_mean_inference", "batch_variance_inference", "moving_mean_training", "moving_variance_training",
    ]  # fmt: skip
    assert len(trial.by_verdict[Verdict.SUPPORTED]) == len(LOSS_CHANGES) - 4


def test_gradients_are_measured_once_per_network_and_read_at_each_step() -> None:
    claim = CLAIMS["A3"]
    networks = {spec for condition in claim.all_conditions for arm in condition.arms for spec in arm.specs}
    depths, kinds = 5, 3
    assert len(networks) == 2 * depths * kinds
    assert len(needed_measurements(plan_experiment(claim))) == len(networks) * 5
    assert len(claim.all_conditions) == 3 * depths * kinds
