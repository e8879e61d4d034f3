"""Recorded results: written and parsed, left out for claims that have changed, and the same as in version 0.1."""

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
from bnlab.claims.results import (
    ExperimentResult,
    TrainingCost,
    condition_interval,
    judge_experiment,
    needed_measurements,
    trained_specs,
)
from bnlab.claims.verdicts import Verdict

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "claims_0_1.json"
VERSION_0_1 = {document["claim"]: document for document in json.loads(FIXTURE.read_text(encoding="utf-8"))}
"""The shipped results as version 0.1 showed them, by the claim's id; conditions and measures by their names."""
LABELS_0_1 = {
    "supported": Verdict.SUPPORTED,
    "contradicted": Verdict.CONTRADICTED,
    "no detectable difference": Verdict.NO_DIFFERENCE,
    "holds only when …": Verdict.CONDITIONAL,
    "not enough seeds": Verdict.TOO_FEW_SEEDS,
}
MORE_SEEDS = {"A3": 80, "A5": 80}
"""Claims that were recorded again with more seeds, because 10 did not decide all of their conditions."""
ADDED = {"A3": ("relu_20_large_kernels",)}
"""Conditions that version 0.1 did not have."""
COST = TrainingCost(runs=30, diverged=1, steps=1000, seconds=12.5)


def conditions_of_0_1(name: str) -> list[Condition]:
    return [condition for condition in CLAIMS[name].all_conditions if condition.id not in ADDED.get(name, ())]


def make_result(claim: str) -> ExperimentResult:
    values = {
        condition.id: ([80.0, 81.0, math.nan if index else 82.123456789], [90.0, 92.0, 91.0])
        for index, condition in enumerate(CLAIMS[claim].all_conditions)
    }
    return judge_experiment(plan_experiment(CLAIMS[claim], "quick", range(3)), values, COST)


def test_results_are_parsed_as_they_were_written(tmp_path: Path) -> None:
    written, path = make_result("A2"), tmp_path / "results.jsonl"
    write_results([written, make_result("O1")], path)
    results = parse_results(path.read_text())
    assert list(results) == ["A2", "O1"]
    parsed = results["A2"]
    assert (parsed.experiment, parsed.cost, parsed.text) == (written.experiment, COST, written.text)
    assert parsed.conditions[0].control == (80, 81, 82.1235)
    assert math.isnan(parsed.conditions[1].control[2])
    assert parsed.conditions[1].verdict is Verdict.TOO_FEW_SEEDS
    assert "cores" in parsed.origin


def test_results_of_changed_and_unknown_claims_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.jsonl"
    write_results([make_result("A1")], path)
    larger = replace(CLAIMS["A1"].quick, changes={"epochs": 3})
    monkeypatch.setitem(recorded.CLAIMS, "A1", replace(CLAIMS["A1"], quick=larger))
    assert parse_results(path.read_text()) == {}
    assert parse_results(json.dumps({"experiment": "Z9 quick 0:5"})) == {}


@pytest.mark.parametrize("name", VERSION_0_1)
def test_shipped_results_are_those_of_version_0_1(name: str) -> None:
    """Values, intervals before the correction for several conditions, and verdicts, condition by condition."""
    result, earlier = recorded_results()[name], VERSION_0_1[name]
    if name in MORE_SEEDS:
        claim, size, _ = earlier["experiment"].split()
        assert result.experiment.name == f"{claim} {size} 0:{MORE_SEEDS[name]}"
    else:
        assert result.experiment.name == earlier["experiment"]
        assert result.origin == earlier["origin"]
        assert vars(result.cost) == earlier["effort"]
    assert result.verdict is LABELS_0_1[earlier["verdict"]]
    known = [of for of in result.all_conditions if of.condition.id not in ADDED.get(name, ())]
    for condition_result, before in zip(known, earlier["conditions"], strict=True):
        interval = condition_interval(condition_result.condition, condition_result.differences)
        if name in MORE_SEEDS:
            assert max(interval.low, before["interval"][1]) <= min(interval.high, before["interval"][2])
        else:
            assert [*condition_result.control] == before["control"]
            assert [*condition_result.treatment] == before["treatment"]
            limits = [interval.mean, interval.low, interval.high]
            assert limits == pytest.approx(before["interval"], rel=1e-9, abs=1e-12)
        assert condition_result.interval.low <= interval.low <= interval.high <= condition_result.interval.high
        earlier_verdict = LABELS_0_1[before["verdict"]]
        is_decided_now = name in MORE_SEEDS and earlier_verdict is Verdict.TOO_FEW_SEEDS
        assert condition_result.verdict is earlier_verdict or is_decided_now
        assert (condition_result in result.conditions) == before["decides"]


@pytest.mark.parametrize("name", VERSION_0_1)
def test_specs_and_measurements_are_those_of_version_0_1(name: str) -> None:
    claim, earlier = CLAIMS[name], VERSION_0_1[name]
    for condition, before in zip(conditions_of_0_1(name), earlier["conditions"], strict=True):
        for size, arms in before["specs"].items():
            experiment = plan_experiment(claim, size)
            assert [[spec.digest for spec in experiment.specs(arm, 0)] for arm in condition.arms] == arms
    full = plan_experiment(claim, "full")
    if name in ADDED:
        return
    assert (len(trained_specs(full)), len(needed_measurements(full))) == (earlier["runs"], earlier["measurements"])


def test_each_measure_of_version_0_1_has_one_id() -> None:
    pairs = {
        (before["measure"], condition.measure.id)
        for name, earlier in VERSION_0_1.items()
        for condition, before in zip(conditions_of_0_1(name), earlier["conditions"], strict=True)
    }
    names, ids = zip(*pairs, strict=True)
    assert len(set(names)) == len(set(ids)) == len(pairs)


def reword(claim: Claim) -> Claim:
    """The claim with all titles and sentences replaced, but the same ids."""

    def reword_arm(arm: Arm) -> Arm:
        return replace(arm, title=f"new {arm.title}", run_title="new")

    def reword_condition(condition: Condition) -> Condition:
        return replace(
            condition,
            title=f"new {condition.title}",
            treatment=reword_arm(condition.treatment),
            control=reword_arm(condition.control),
            measure=replace(condition.measure, title=f"new {condition.measure.title}"),
            prediction=replace(condition.prediction, reason="New."),
        )

    return replace(
        claim,
        statement="New.",
        question="New?",
        conditions=tuple(map(reword_condition, claim.conditions)),
        supplementary=tuple(map(reword_condition, claim.supplementary)),
        literature=(),
        remarks=("New.",),
        discussion="New.",
    )


def test_rewording_a_claim_keeps_its_results(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = recorded_results()
    for name, claim in CLAIMS.items():
        monkeypatch.setitem(recorded.CLAIMS, name, reword(claim))
    results = parse_results(recorded.RESULTS_FILE.read_text(encoding="utf-8"))
    assert list(results) == list(shipped)
    for name, result in results.items():
        assert result.experiment.claim.question == "New?"
        assert (result.verdict, result.difference) == (shipped[name].verdict, shipped[name].difference)
        for after, before in zip(result.all_conditions, shipped[name].all_conditions, strict=True):
            assert (after.interval, after.verdict) == (before.interval, before.verdict)
            assert (after.control, after.treatment) == (before.control, before.treatment)


def test_every_shipped_result_belongs_to_a_claim() -> None:
    lines = recorded.RESULTS_FILE.read_text(encoding="utf-8").splitlines()
    assert list(recorded_results()) == [json.loads(line)["experiment"].split()[0] for line in lines]
    assert set(VERSION_0_1) <= set(recorded_results())


def test_verdicts_are_computed_once_for_two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def parse_slowly(text: str) -> dict[str, ExperimentResult]:
        calls.append(text)
        time.sleep(0.05)
        return {}

    monkeypatch.setattr(recorded, "parse_results", parse_slowly)
    recorded._shipped_results.cache_clear()
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(recorded.recorded_results) for _ in range(2)]
        assert [future.result() for future in futures] == [{}, {}]
    recorded._shipped_results.cache_clear()
    assert len(calls) == 1


MIN_SEEDS_TO_SPLIT = 10
OPPOSITES = ({Verdict.SUPPORTED, Verdict.CONTRADICTED}, {Verdict.SUPPORTED, Verdict.NO_DIFFERENCE})
SPLIT = [result for result in recorded_results().values() if len(result.experiment.seeds) >= MIN_SEEDS_TO_SPLIT]


@pytest.mark.parametrize("result", SPLIT, ids=lambda result: result.experiment.claim.id)
def test_no_verdict_flips_between_disjoint_halves_of_the_seeds(result: ExperimentResult) -> None:
    seeds = len(result.experiment.seeds)
    first, second = (_judge_part(result, part) for part in (slice(seeds // 2), slice(seeds // 2, seeds)))
    pairs = [(a.verdict, b.verdict) for a, b in zip(first.conditions, second.conditions, strict=True)]
    assert not [pair for pair in [(first.verdict, second.verdict), *pairs] if set(pair) in OPPOSITES]


def _judge_part(result: ExperimentResult, part: slice) -> ExperimentResult:
    experiment = replace(result.experiment, seeds=result.experiment.seeds[part])
    values = {of.condition.id: ([*of.control[part]], [*of.treatment[part]]) for of in result.all_conditions}
    return judge_experiment(experiment, values, result.cost)
