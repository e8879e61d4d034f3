"""Trials that ship: written, read and judged anew; those of a claim that has changed are left out."""

import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bnlab.claims import recorded
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import Arm, Claim, Condition, plan_experiment
from bnlab.claims.recorded import parse_results, recorded_results, write_results
from bnlab.claims.results import TrainingCost, ExperimentResult, judge_experiment, needed_measurements, trained_specs
from bnlab.claims.verdicts import Verdict

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "claims_0_1.json"
EARLIER = {trial["claim"]: trial for trial in json.loads(FIXTURE.read_text(encoding="utf-8"))}
"""What version 0.1 showed of the trials that ship, by the claim's id; conditions and measures by their names."""
EFFORT = TrainingCost(runs=30, diverged=1, steps=1000, seconds=12.5)


def trial_of(claim: str) -> ExperimentResult:
    numbers = {
        condition.id: ([80.0, 81.0, math.nan if place else 82.123456789], [90.0, 92.0, 91.0])
        for place, condition in enumerate(CLAIMS[claim].all_conditions)
    }
    return judge_experiment(plan_experiment(CLAIMS[claim], "quick", range(3)), numbers, EFFORT)


def test_a_trial_is_read_as_it_was_held(tmp_path: Path) -> None:
    held, path = trial_of("A2"), tmp_path / "trials.jsonl"
    write_results([held, trial_of("O1")], path)
    trials = parse_results(path.read_text())
    assert list(trials) == ["A2", "O1"]
    read = trials["A2"]
    assert (read.experiment, read.effort, read.text) == (held.experiment, EFFORT, held.text)
    assert read.results[0].control == (80, 81, 82.1235)
    assert math.isnan(read.results[1].control[2])
    assert read.results[1].verdict is Verdict.TOO_FEW
    assert "cores" in read.origin


def test_numbers_of_a_claim_that_has_changed_are_not_its_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trials.jsonl"
    write_results([trial_of("A1")], path)
    larger = replace(CLAIMS["A1"].quick, changes={"epochs": 3})
    monkeypatch.setitem(recorded.CLAIMS, "A1", replace(CLAIMS["A1"], quick=larger))
    assert parse_results(path.read_text()) == {}
    assert parse_results(json.dumps({"experiment": "Z9 quick 0:5"})) == {}


@pytest.mark.parametrize("name", EARLIER)
def test_shipped_trials_are_those_of_0_1(name: str) -> None:
    """Numbers, intervals and verdicts, condition by condition, and the specs that gave them."""
    trial, earlier = recorded_results()[name], EARLIER[name]
    assert (trial.experiment.name, trial.origin) == (earlier["experiment"], earlier["origin"])
    assert vars(trial.effort) == earlier["effort"]
    assert trial.verdict.label == earlier["verdict"]
    assert {verdict.label: len(conditions) for verdict, conditions in trial.by_verdict.items()} == {
        verdict: len(names) for verdict, names in earlier["where"].items()
    }
    for result, before in zip(trial.all_results, earlier["conditions"], strict=True):
        assert [*result.control] == before["control"]
        assert [*result.treatment] == before["treatment"]
        interval = result.interval
        assert [interval.mean, interval.low, interval.high] == pytest.approx(before["interval"], rel=1e-9, abs=1e-12)
        assert (result.verdict.label, result.text) == (before["verdict"], before["words"])
        assert (result in trial.results) == before["decides"]


@pytest.mark.parametrize("name", EARLIER)
def test_specs_and_measurements_are_those_of_0_1(name: str) -> None:
    claim, earlier = CLAIMS[name], EARLIER[name]
    for condition, before in zip(claim.all_conditions, earlier["conditions"], strict=True):
        for size, arms in before["specs"].items():
            experiment = plan_experiment(claim, size)
            assert [[spec.digest for spec in experiment.specs(arm, 0)] for arm in condition.arms] == arms
    full = plan_experiment(claim, "full")
    assert (len(trained_specs(full)), len(needed_measurements(full))) == (earlier["runs"], earlier["measurements"])


def test_each_measure_of_0_1_has_one_id() -> None:
    pairs = {
        (before["measure"], condition.measure.id)
        for name, earlier in EARLIER.items()
        for condition, before in zip(CLAIMS[name].all_conditions, earlier["conditions"], strict=True)
    }
    names, ids = zip(*pairs, strict=True)
    assert len(set(names)) == len(set(ids)) == len(pairs)


def reworded(claim: Claim) -> Claim:
    """The same claim with all titles and sentences replaced; its ids are those of before."""

    def arm(given: Arm) -> Arm:
        return replace(given, title=f"new {given.title}", run_title="new")

    def condition(given: Condition) -> Condition:
        return replace(
            given,
            title=f"new {given.title}",
            treatment=arm(given.treatment),
            control=arm(given.control),
            measure=replace(given.measure, title=f"new {given.measure.title}"),
            prediction=replace(given.prediction, reason="New."),
        )

    return replace(
        claim,
        statement="New.",
        question="New?",
        conditions=tuple(map(condition, claim.conditions)),
        supplementary=tuple(map(condition, claim.supplementary)),
        literature=(),
        remarks=("New.",),
        discussion="New.",
    )


def test_rewording_loses_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = recorded_results()
    for name, claim in CLAIMS.items():
        monkeypatch.setitem(recorded.CLAIMS, name, reworded(claim))
    trials = parse_results(recorded.RESULTS_FILE.read_text(encoding="utf-8"))
    assert list(trials) == list(shipped)
    for name, trial in trials.items():
        assert trial.experiment.claim.question == "New?"
        assert (trial.verdict, trial.difference) == (shipped[name].verdict, shipped[name].difference)
        for result, before in zip(trial.all_results, shipped[name].all_results, strict=True):
            assert (result.interval, result.verdict) == (before.interval, before.verdict)
            assert (result.control, result.treatment) == (before.control, before.treatment)


def test_every_shipped_trial_belongs_to_a_claim() -> None:
    lines = recorded.RESULTS_FILE.read_text(encoding="utf-8").splitlines()
    assert list(recorded_results()) == [json.loads(line)["experiment"].split()[0] for line in lines]
    assert set(EARLIER) <= set(recorded_results())


def test_two_who_ask_at_once_have_them_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def slow(text: str) -> dict[str, ExperimentResult]:
        judged.append(text)
        time.sleep(0.05)
        return {}

    monkeypatch.setattr(recorded, "read_trials", slow)
    recorded._shipped_trials.cache_clear()
    with ThreadPoolExecutor(2) as both:
        assert [answer.result() for answer in [both.submit(recorded.recorded_results) for _ in range(2)]] == [{}, {}]
    recorded._shipped_trials.cache_clear()
    assert len(judged) == 1
