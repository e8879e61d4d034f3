"""Trials: read from recorded runs and answered probes, and one really held."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bnlab.claims.case import open_case
from bnlab.claims.claim import Arm, Condition, Measure, Prediction, Probed, Size
from bnlab.claims.documents import trial_document
from bnlab.claims.evidence import probes, trained_specs
from bnlab.claims.hearing import missing_specs
from bnlab.claims.measures import SPREAD, STEPS_TO_95, TRAINABLE
from bnlab.claims.trial import TrialError, read_trial
from bnlab.claims.verdicts import Verdict
from bnlab.runs.answers import write_answer
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.network import describe_network
from bnlab.spec.run_spec import RunSpec
from tests import tiny_claim
from tests.recording import OWNER, moment, record
from tests.tiny_claim import NORMALIZED, TINY

SEEDS = range(3)
CLAIM = replace(tiny_claim.CLAIM, quick=Size({"epochs": 1}, len(SEEDS)))
CASE = open_case(CLAIM)


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
    trial = read_trial(recorded(store, [80, 81, 82], [90, 92, 91]), CASE)
    (cell,) = trial.cells
    assert cell.control == pytest.approx((80, 81, 82))
    assert cell.treatment == pytest.approx((90, 92, 91))
    assert cell.interval.mean == pytest.approx(10)
    assert trial.difference == cell.interval
    assert trial.verdict == cell.verdict == Verdict.SUPPORTED
    assert (trial.effort.runs, trial.effort.steps, trial.effort.diverged) == (6, 12, 0)
    assert trial.effort.seconds == pytest.approx(1.2)


def test_it_is_json_as_promised(store: Store) -> None:
    document = trial_document(read_trial(recorded(store, [80, 81, 82], [80, 80, 80]), CASE))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert list(document) == [
        "id", "verdict", "measure", "unit", "conditions", "difference", "runs", "seconds",
    ]  # fmt: skip
    assert (document["id"], document["verdict"]) == ("X1", "not enough seeds")
    assert (document["measure"], document["unit"]) == ("final validation accuracy", "%")
    without, normalized = document["conditions"]
    assert list(without) == ["name", "per_seed", "mean", "ci"]
    assert (without["name"], normalized["name"]) == ("small: no BN", "small: BN")
    assert without["per_seed"] == pytest.approx([80, 81, 82])
    assert without["mean"] == pytest.approx(81)
    assert without["ci"][0] < 80
    assert without["ci"][1] > 82
    assert normalized["ci"] == pytest.approx([80, 80])
    assert list(document["difference"]) == ["mean", "ci", "n"]
    assert (document["difference"]["mean"], document["difference"]["n"]) == (pytest.approx(-1), 3)
    assert document["runs"] == 6


def test_one_seed_is_not_enough_and_its_interval_is_null(store: Store) -> None:
    trial = read_trial(recorded(store, [80], [90]), open_case(CLAIM, "quick", range(1)))
    assert trial.verdict is Verdict.TOO_FEW
    assert trial_document(trial)["difference"] == {"mean": pytest.approx(10), "ci": [None, None], "n": 1}


def test_diverged_runs_count_as_a_guess(store: Store) -> None:
    recorded(store, [], [90, 92, 91])
    for seed in SEEDS:
        train(store, TINY, 95, seed, RunState.DIVERGED)
    trial = read_trial(store, CASE)
    assert trial.cells[0].control == (10, 10, 10)
    assert (trial.effort.diverged, trial.verdict) == (3, Verdict.SUPPORTED)


def test_runs_that_lack_are_told_with_their_errors(store: Store) -> None:
    recorded(store, [80, 81, 82], [90, 92])
    missing = missing_specs(store, CASE)
    assert [(spec.placement, spec.seed) for spec in missing] == [("before_activation", 2)]
    failed = store.launch(missing[0], "X1", OWNER)
    store.finish(failed.digest, OWNER, RunState.FAILED, "It ran out of memory.")
    words = "1 of the 6 runs of X1 have not been trained to their end. It ran out of memory."
    with pytest.raises(TrialError, match=words):
        read_trial(store, CASE)


def test_conditions_that_disagree_are_named_and_those_beside_decide_nothing(store: Store) -> None:
    slow = replace(CLAIM.conditions[0], name="steps", measure=STEPS_TO_95)
    beside = replace(CLAIM.conditions[0], name="beside", prediction=Prediction(-1, 1, "None."))
    claim = replace(CLAIM, conditions=(CLAIM.conditions[0], slow), beside=(beside,))
    trial = read_trial(recorded(store, [80, 81, 82], [90, 92, 91]), open_case(claim))
    assert trial.verdict is Verdict.CONDITIONAL
    assert trial.words == "holds only when small"
    assert trial.where == {Verdict.SUPPORTED: ("small",), Verdict.NO_DIFFERENCE: ("steps",)}
    assert trial.beside[0].verdict is Verdict.CONTRADICTED
    assert [arm["name"] for arm in trial_document(trial)["conditions"]][-1] == "beside: BN"
    assert trial.effort.runs == 6


def test_an_arm_of_several_specs_is_one_number_a_seed(store: Store) -> None:
    recorded(store, [80, 81, 82], [90, 92, 91])
    for seed in SEEDS:
        train(store, TINY, 50, seed, activation="tanh")
    several = Arm("both", (TINY, TINY.model_copy(update={"activation": "tanh"})))
    condition = Condition("spread", Arm("BN", (NORMALIZED,)), several, SPREAD, Prediction(-1, 5, "Five points."))
    trial = read_trial(store, open_case(replace(CLAIM, conditions=(condition,))))
    assert trial.cells[0].control == pytest.approx((30, 31, 32))
    assert trial.cells[0].treatment == (0, 0, 0)
    assert trial.verdict is Verdict.SUPPORTED


def test_what_is_counted_needs_no_run_and_no_second_seed(store: Store) -> None:
    claim = replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=TRAINABLE),))
    assert missing_specs(store, open_case(claim)) == ()
    trial = read_trial(store, open_case(claim, "quick", range(1)))
    assert trial.difference.mean == trial.difference.low == 2 * 8
    assert trial.verdict is Verdict.SUPPORTED


def ask(_store_url: str, spec: RunSpec) -> pd.DataFrame:
    """What a worker would be asked."""
    return pd.DataFrame({"layers": [len(describe_network(spec).layers)]})


LAYERS = Measure("layers", "layers", Probed(ask, lambda answer: answer["layers"].iloc[0]))


def test_probes_are_asked_once_of_each_spec_and_seed(store: Store) -> None:
    probed = replace(CLAIM.conditions[0], measure=LAYERS)
    claim = replace(CLAIM, conditions=(probed, replace(probed, name="again")))
    asked = probes(open_case(claim))
    assert len(asked) == len(set(asked)) == 6
    assert trained_specs(open_case(claim)) == ()
    for question in asked:
        write_answer(store, question, ask("", question.spec))
    trial = read_trial(store, open_case(claim))
    assert trial.cells[0].treatment == (5, 5, 5)
    assert trial.cells[0].control == (4, 4, 4)


def test_probes_that_lack_are_told(store: Store) -> None:
    claim = replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=LAYERS),))
    with pytest.raises(TrialError, match="6 of the probes of X1 have not been answered"):
        read_trial(store, open_case(claim))


def test_a_probe_after_training_needs_the_run() -> None:
    source = replace(LAYERS.source, after_training=True)
    claim = replace(CLAIM, conditions=(replace(CLAIM.conditions[0], measure=replace(LAYERS, source=source)),))
    assert len(trained_specs(open_case(claim))) == 6
