"""Trials: read from recorded runs and measurements."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bnlab.claims.measures import SPREAD, STEPS_TO_95, TRAINABLE
from bnlab.claims.model import Arm, Condition, Measure, Prediction, Size, WorkerMeasure, plan_experiment
from bnlab.claims.report import result_document
from bnlab.claims.results import MissingResultsError, needed_measurements, read_result, trained_specs
from bnlab.claims.runner import missing_specs
from bnlab.claims.verdicts import Verdict
from bnlab.runs.measurements import Measurement, write_measurement
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from tests import tiny_claim
from tests.recording import OWNER, moment, record
from tests.tiny_claim import NORMALIZED, TINY

SEEDS = range(3)
CLAIM = replace(tiny_claim.CLAIM, quick=Size({"epochs": 1}, len(SEEDS)))
EXPERIMENT = plan_experiment(CLAIM)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


def train(
    store: Store, spec: RunSpec, accuracy: float, seed: int, state: RunState = RunState.COMPLETED, **changes: Any
) -> Run:
    """Record `spec`, in the claim's size, as an ended run of that final accuracy in percent."""
    sized = RunSpec(**spec.model_dump() | {"epochs": 1, "seed": seed} | changes)
    return record(store, sized, (1.0, 0.5), (moment(0), moment(2, val_accuracy=accuracy / 100)), state)


def recorded(store: Store, without: list[float], normalized: list[float]) -> Store:
    for spec, accuracies in ((TINY, without), (NORMALIZED, normalized)):
        for seed, accuracy in enumerate(accuracies):
            train(store, spec, accuracy, seed)
    return store


def test_a_trial_is_read_from_its_runs(store: Store) -> None:
    trial = read_result(recorded(store, [80, 81, 82], [90, 92, 91]), EXPERIMENT)
    (result,) = trial.results
    assert result.control == pytest.approx((80, 81, 82))
    assert result.treatment == pytest.approx((90, 92, 91))
    assert result.interval.mean == pytest.approx(10)
    assert trial.difference == result.interval
    assert trial.verdict == result.verdict == Verdict.SUPPORTED
    assert (trial.effort.runs, trial.effort.steps, trial.effort.diverged) == (6, 12, 0)
    assert trial.effort.seconds == pytest.approx(1.2)


def test_it_is_json_as_promised(store: Store) -> None:
    document = result_document(read_result(recorded(store, [80, 81, 82], [80, 80, 80]), EXPERIMENT))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert list(document) == [
        "id", "verdict", "text", "measure", "unit", "conditions", "difference", "runs", "seconds",
    ]  # fmt: skip
    assert (document["id"], document["verdict"], document["text"]) == ("X1", "too_few_seeds", "not enough seeds")
    assert (document["measure"], document["unit"]) == ("final_accuracy", "%")
    without, normalized = document["conditions"]
    assert list(without) == ["condition", "arm", "title", "per_seed", "mean", "ci"]
    assert [(arm["condition"], arm["arm"]) for arm in (without, normalized)] == [
        ("small", "control"),
        ("small", "treatment"),
    ]
    assert without["per_seed"] == pytest.approx([80, 81, 82])
    assert without["mean"] == pytest.approx(81)
    assert without["ci"][0] < 80
    assert without["ci"][1] > 82
    assert normalized["ci"] == pytest.approx([80, 80])
    assert list(document["difference"]) == ["mean", "ci", "n"]
    assert (document["difference"]["mean"], document["difference"]["n"]) == (pytest.approx(-1), 3)
    assert document["runs"] == 6


def test_one_seed_is_not_enough_and_its_interval_is_null(store: Store) -> None:
    trial = read_result(recorded(store, [80], [90]), plan_experiment(CLAIM, "quick", range(1)))
    assert trial.verdict is Verdict.TOO_FEW
    assert result_document(trial)["difference"] == {"mean": pytest.approx(10), "ci": [None, None], "n": 1}


def test_diverged_runs_count_as_a_guess(store: Store) -> None:
    recorded(store, [], [90, 92, 91])
    for seed in SEEDS:
        train(store, TINY, 95, seed, RunState.DIVERGED)
    trial = read_result(store, EXPERIMENT)
    assert trial.results[0].control == (10, 10, 10)
    assert (trial.effort.diverged, trial.verdict) == (3, Verdict.SUPPORTED)


def test_runs_that_lack_are_told_with_their_errors(store: Store) -> None:
    recorded(store, [80, 81, 82], [90, 92])
    missing = missing_specs(store, EXPERIMENT)
    assert [(spec.placement, spec.seed) for spec in missing] == [("before_activation", 2)]
    failed = store.launch(missing[0], "X1", OWNER)
    store.finish(failed.digest, OWNER, RunState.FAILED, "It ran out of memory.")
    words = "1 of the 6 runs of X1 have not been trained to their end. It ran out of memory."
    with pytest.raises(MissingResultsError, match=words):
        read_result(store, EXPERIMENT)


def test_conditions_that_disagree_are_named_and_supplementary_ones_decide_nothing(store: Store) -> None:
    slow = replace(CLAIM.conditions[0], id="steps", measure=STEPS_TO_95)
    opposite = replace(CLAIM.conditions[0], id="opposite", prediction=Prediction(-1, 1, "None."))
    claim = replace(CLAIM, conditions=(CLAIM.conditions[0], slow), supplementary=(opposite,))
    trial = read_result(recorded(store, [80, 81, 82], [90, 92, 91]), plan_experiment(claim))
    assert trial.verdict is Verdict.CONDITIONAL
    assert trial.text == "holds only when small"
    ids = {verdict: [condition.id for condition in found] for verdict, found in trial.by_verdict.items()}
    assert ids == {Verdict.SUPPORTED: ["small"], Verdict.NO_DIFFERENCE: ["steps"]}
    assert trial.supplementary[0].verdict is Verdict.CONTRADICTED
    last = result_document(trial)["conditions"][-1]
    assert (last["condition"], last["arm"]) == ("opposite", "treatment")
    assert trial.effort.runs == 6


def test_an_arm_of_several_specs_is_one_number_a_seed(store: Store) -> None:
    recorded(store, [80, 81, 82], [90, 92, 91])
    for seed in SEEDS:
        train(store, TINY, 50, seed, activation="tanh")
    several = Arm("both", (TINY, TINY.model_copy(update={"activation": "tanh"})))
    condition = Condition(
        "spread", "spread", Arm("BN", (NORMALIZED,)), several, SPREAD, Prediction(-1, 5, "Five points.")
    )
    trial = read_result(store, plan_experiment(replace(CLAIM, conditions=(condition,))))
    assert trial.results[0].control == pytest.approx((30, 31, 32))
    assert trial.results[0].treatment == (0, 0, 0)
    assert trial.verdict is Verdict.SUPPORTED


def test_what_is_counted_needs_no_run_and_no_second_seed(store: Store) -> None:
    claim = replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=TRAINABLE),))
    assert missing_specs(store, plan_experiment(claim)) == ()
    trial = read_result(store, plan_experiment(claim, "quick", range(1)))
    assert trial.difference.mean == trial.difference.low == 2 * 8
    assert trial.verdict is Verdict.SUPPORTED


def count_layers(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    return pd.DataFrame({"layers": [len(describe_network(spec).layers)]})


def layer_count(spec: RunSpec) -> Measurement:
    return Measurement("layer_count", count_layers, spec)


LAYERS = Measure("layers", "layers", "layers", WorkerMeasure(layer_count, lambda table: table["layers"].iloc[0]))


def test_measurements_are_taken_once_for_each_spec_and_seed(store: Store) -> None:
    measured = replace(CLAIM.conditions[0], measure=LAYERS)
    claim = replace(CLAIM, conditions=(measured, replace(measured, id="again")))
    measurements = needed_measurements(plan_experiment(claim))
    assert len(measurements) == len(set(measurements)) == 6
    assert trained_specs(plan_experiment(claim)) == ()
    for measurement in measurements:
        write_measurement(store, measurement, count_layers("", measurement.spec))
    trial = read_result(store, plan_experiment(claim))
    assert trial.results[0].treatment == (5, 5, 5)
    assert trial.results[0].control == (4, 4, 4)


def test_missing_measurements_are_reported(store: Store) -> None:
    claim = replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=LAYERS),))
    with pytest.raises(MissingResultsError, match="6 of the measurements for X1 have not been taken"):
        read_result(store, plan_experiment(claim))


def test_a_measurement_after_training_needs_the_run() -> None:
    source = replace(LAYERS.source, after_training=True)
    claim = replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=replace(LAYERS, source=source)),))
    assert len(trained_specs(plan_experiment(claim))) == 6
