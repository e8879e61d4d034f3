"""Results computed from recorded runs and measurements."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.measures import SPREAD, STEPS_TO_95, TRAINABLE
from bnlab.claims.model import Arm, Claim, Condition, Measure, Prediction, Size, WorkerMeasure, plan_experiment
from bnlab.claims.report import result_document
from bnlab.claims.results import (
    COLUMNS,
    MissingResultsError,
    TrainingCost,
    condition_interval,
    conditions_frame,
    judge_experiment,
    needed_measurements,
    read_result,
    trained_specs,
)
from bnlab.claims.runner import missing_specs
from bnlab.claims.statistics import paired_differences
from bnlab.claims.verdicts import Verdict
from bnlab.runs.measurements import Measurement, write_measurement
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from tests import tiny_claim
from tests.stored_runs import OWNER, make_evaluation, record_run
from tests.tiny_claim import NORMALIZED, TINY

SEEDS = range(3)
CLAIM = replace(tiny_claim.CLAIM, quick=Size({"epochs": 1}, len(SEEDS)))
EXPERIMENT = plan_experiment(CLAIM)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bnlab.db'}")


def record_result(
    store: Store, spec: RunSpec, accuracy: float, seed: int, state: RunState = RunState.COMPLETED, **changes: Any
) -> Run:
    """Record `spec`, in the claim's size, as a finished run with `accuracy`, in percent."""
    sized = RunSpec(**spec.model_dump() | {"epochs": 1, "seed": seed} | changes)
    return record_run(
        store, sized, (1.0, 0.5), (make_evaluation(0), make_evaluation(2, val_accuracy=accuracy / 100)), state
    )


def record_runs(store: Store, control: list[float], treatment: list[float]) -> Store:
    for spec, accuracies in ((TINY, control), (NORMALIZED, treatment)):
        for seed, accuracy in enumerate(accuracies):
            record_result(store, spec, accuracy, seed)
    return store


def test_result_is_computed_from_its_runs(store: Store) -> None:
    result = read_result(record_runs(store, [80, 81, 82], [90, 92, 91]), EXPERIMENT)
    (condition_result,) = result.conditions
    assert condition_result.control == pytest.approx((80, 81, 82))
    assert condition_result.treatment == pytest.approx((90, 92, 91))
    assert condition_result.interval.mean == pytest.approx(10)
    assert result.difference == condition_result.interval
    assert result.verdict == condition_result.verdict == Verdict.SUPPORTED
    assert (result.cost.runs, result.cost.steps, result.cost.diverged) == (6, 12, 0)
    assert result.cost.seconds == pytest.approx(1.2)


def test_result_document(store: Store) -> None:
    document = result_document(read_result(record_runs(store, [80, 81, 82], [80, 80, 80]), EXPERIMENT))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert list(document) == [
        "id", "verdict", "text", "measure", "unit", "conditions", "difference", "runs", "seconds",
    ]  # fmt: skip
    assert (document["id"], document["verdict"], document["text"]) == ("X1", "too_few_seeds", "undecided")
    assert (document["measure"], document["unit"]) == ("final_accuracy", "%")
    control, treatment = document["conditions"]
    assert list(control) == ["condition", "arm", "title", "per_seed", "mean", "ci"]
    assert [(arm["condition"], arm["arm"]) for arm in (control, treatment)] == [
        ("small", "control"),
        ("small", "treatment"),
    ]
    assert control["per_seed"] == pytest.approx([80, 81, 82])
    assert control["mean"] == pytest.approx(81)
    assert control["ci"][0] < 80
    assert control["ci"][1] > 82
    assert treatment["ci"] == pytest.approx([80, 80])
    assert list(document["difference"]) == ["mean", "ci", "n"]
    assert (document["difference"]["mean"], document["difference"]["n"]) == (pytest.approx(-1), 3)
    assert document["runs"] == 6


def test_one_seed_is_too_few_and_its_interval_is_null(store: Store) -> None:
    result = read_result(record_runs(store, [80], [90]), plan_experiment(CLAIM, "quick", range(1)))
    assert result.verdict is Verdict.TOO_FEW_SEEDS
    assert result_document(result)["difference"] == {"mean": pytest.approx(10), "ci": [None, None], "n": 1}


def test_diverged_runs_have_the_accuracy_of_a_guess(store: Store) -> None:
    record_runs(store, [], [90, 92, 91])
    for seed in SEEDS:
        record_result(store, TINY, 95, seed, RunState.DIVERGED)
    result = read_result(store, EXPERIMENT)
    assert result.conditions[0].control == (10, 10, 10)
    assert (result.cost.diverged, result.verdict) == (3, Verdict.SUPPORTED)


def test_missing_runs_are_reported_with_their_errors(store: Store) -> None:
    record_runs(store, [80, 81, 82], [90, 92])
    missing = missing_specs(store, EXPERIMENT)
    assert [(spec.placement, spec.seed) for spec in missing] == [("before_activation", 2)]
    failed = store.launch(missing[0], "X1", OWNER)
    store.finish(failed.digest, OWNER, RunState.FAILED, "It ran out of memory.")
    message = "1 of the 6 runs of X1 have not been trained to their end. It ran out of memory."
    with pytest.raises(MissingResultsError, match=message):
        read_result(store, EXPERIMENT)


def test_conditional_verdict_ignores_supplementary_conditions(store: Store) -> None:
    slow = replace(CLAIM.conditions[0], id="steps", measure=STEPS_TO_95)
    opposite = replace(CLAIM.conditions[0], id="opposite", prediction=Prediction(-1, 1, "None."))
    claim = replace(CLAIM, conditions=(CLAIM.conditions[0], slow), supplementary=(opposite,))
    result = read_result(record_runs(store, [80, 81, 82], [90, 92, 91]), plan_experiment(claim))
    assert result.verdict is Verdict.CONDITIONAL
    assert result.text == "true in part: small"
    ids = {verdict: [condition.id for condition in conditions] for verdict, conditions in result.by_verdict.items()}
    assert ids == {Verdict.SUPPORTED: ["small"], Verdict.NO_DIFFERENCE: ["steps"]}
    assert result.supplementary[0].verdict is Verdict.CONTRADICTED
    last = result_document(result)["conditions"][-1]
    assert (last["condition"], last["arm"]) == ("opposite", "treatment")
    assert result.cost.runs == 6


def test_intervals_are_corrected_for_the_number_of_deciding_conditions_alone() -> None:
    same = [replace(CLAIM.conditions[0], id=f"c{index}") for index in range(4)]
    arms = [80.0, 81.0, 82.0], [80.5, 81.9, 81.6]
    values = {condition.id: arms for condition in same}

    def widths(claim: Claim) -> list[float]:
        result = judge_experiment(plan_experiment(claim), values, TrainingCost(0, 0, 0, 0.0))
        return [condition.interval.width for condition in result.all_conditions]

    (alone, *_), corrected = widths(replace(CLAIM, conditions=(same[0],))), widths(replace(CLAIM, conditions=(*same,)))
    assert all(width > 1.5 * alone for width in corrected)
    deciding, *others = widths(replace(CLAIM, conditions=(same[0],), supplementary=(*same[1:],)))
    uncorrected = condition_interval(same[0], paired_differences(arms[1], arms[0])).width
    assert (deciding, others) == (alone, [uncorrected] * 3)
    assert uncorrected < alone, "a deciding condition may be given more seeds"
    counted = replace(same[1], measure=TRAINABLE)
    assert widths(replace(CLAIM, conditions=(same[0], counted))) == [alone, pytest.approx(1.3)]


def test_arm_of_several_specs_gives_one_value_per_seed(store: Store) -> None:
    record_runs(store, [80, 81, 82], [90, 92, 91])
    for seed in SEEDS:
        record_result(store, TINY, 50, seed, activation="tanh")
    several = Arm("both", (TINY, TINY.model_copy(update={"activation": "tanh"})))
    condition = Condition(
        "spread", "spread", Arm("BN", (NORMALIZED,)), several, SPREAD, Prediction(-1, 5, "Five points.")
    )
    result = read_result(store, plan_experiment(replace(CLAIM, conditions=(condition,))))
    assert result.conditions[0].control == pytest.approx((30, 31, 32))
    assert result.conditions[0].treatment == (0, 0, 0)
    assert result.verdict is Verdict.SUPPORTED


def test_counted_measure_needs_no_run_and_one_seed(store: Store) -> None:
    claim = replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=TRAINABLE),))
    assert missing_specs(store, plan_experiment(claim)) == ()
    result = read_result(store, plan_experiment(claim, "quick", range(1)))
    assert result.difference.mean == result.difference.low == 2 * 8
    assert result.verdict is Verdict.SUPPORTED


def count_layers(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    return pd.DataFrame({"layers": [len(describe_network(spec).layers)]})


def layer_count(spec: RunSpec) -> Measurement:
    return Measurement("layer_count", count_layers, spec)


LAYERS = Measure("layers", "layers", "layers", WorkerMeasure(layer_count, lambda table: table["layers"].iloc[0]))


def test_each_measurement_is_needed_once_per_spec_and_seed(store: Store) -> None:
    measured = replace(CLAIM.conditions[0], measure=LAYERS)
    claim = replace(CLAIM, conditions=(measured, replace(measured, id="again")))
    measurements = needed_measurements(plan_experiment(claim))
    assert len(measurements) == len(set(measurements)) == 6
    assert trained_specs(plan_experiment(claim)) == ()
    for measurement in measurements:
        write_measurement(store, measurement, count_layers("", measurement.spec))
    result = read_result(store, plan_experiment(claim))
    assert result.conditions[0].treatment == (5, 5, 5)
    assert result.conditions[0].control == (4, 4, 4)


def test_missing_measurements_are_reported(store: Store) -> None:
    claim = replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=LAYERS),))
    with pytest.raises(MissingResultsError, match="6 of the measurements for X1 have not been taken"):
        read_result(store, plan_experiment(claim))


def test_measurement_after_training_needs_the_run() -> None:
    source = replace(LAYERS.source, after_training=True)
    claim = replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=replace(LAYERS, source=source)),))
    assert len(trained_specs(plan_experiment(claim))) == 6


def test_conditions_frame_has_one_row_per_condition() -> None:
    claim = CLAIMS["A1"]
    values = {condition.id: ([97.0, 97.4], [97.5, 98.1]) for condition in claim.all_conditions}
    result = judge_experiment(plan_experiment(claim, "quick", range(3, 5)), values, TrainingCost(12, 0, 100, 1.0))
    frame = conditions_frame(result)
    assert tuple(frame.columns) == COLUMNS
    assert frame["condition"].tolist() == [condition.title for condition in claim.all_conditions]
    assert frame["id"].tolist() == [condition.id for condition in claim.all_conditions]
    assert frame["decides"].tolist() == [True, True, False, False]
    first = frame.iloc[0]
    assert (first["control"], first["treatment"], first["mean"]) == pytest.approx((97.2, 97.8, 0.6))
    assert first["differences"] == pytest.approx([0.5, 0.7])
    assert first["seeds"] == [3, 4]
    assert first["low"] < 0.6 < first["high"]
    assert (first["verdict"], first["unit"]) == (str(result.conditions[0].verdict), "points")


COST = TrainingCost(0, 0, 0, 0)


def test_only_undecided_results_ask_for_more_seeds() -> None:
    def judge_seeds(differences: list[float]) -> Any:
        seeds = len(differences)
        return judge_experiment(plan_experiment(CLAIM, seeds=range(seeds)), {"small": ([0] * seeds, differences)}, COST)

    undecided, decided = [0.0, 2.0, 1.0], [3.0, 3.1, 3.2]
    assert judge_seeds(decided).next_look is None
    assert judge_seeds(undecided).next_look == plan_experiment(CLAIM, seeds=range(6))
    assert judge_seeds(undecided * 8).next_look is None, "the last look"


def test_later_looks_have_wider_intervals() -> None:
    """Of two experiments with 6 seeds the one that began with 3 has looked before, and has less error left to spend."""
    values = {"small": ([0.0] * 6, [1.5, 2.0, 2.5, 1.6, 2.1, 2.4])}
    first, second = (
        judge_experiment(
            plan_experiment(replace(CLAIM, quick=Size({"epochs": 1}, seeds)), seeds=range(6)), values, COST
        )
        for seeds in (6, 3)
    )
    assert second.conditions[0].interval.low < first.conditions[0].interval.low
    assert second.difference == second.conditions[0].interval
