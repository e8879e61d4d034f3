"""The report of results, and that docs/claims.md is the report of the shipped ones."""

from pathlib import Path

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import plan_experiment
from bnlab.claims.recorded import recorded_results
from bnlab.claims.report import claims_report
from bnlab.claims.results import TrainingCost, judge_experiment

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "claims.md"


def test_section_of_a_result() -> None:
    claim = CLAIMS["A1"]
    values = {condition.id: ([97.0, 97.4, 97.1], [97.5, 98.1, 97.4]) for condition in claim.all_conditions}
    experiment, cost = plan_experiment(claim, "quick", range(3)), TrainingCost(36, 2, 1200, 12.4)
    result = judge_experiment(experiment, values, cost, "1 May 2026, 2 cores")
    page = claims_report([result])
    assert "## A1: “There is no need to scale the data if BN is the first layer.”" in page
    assert (
        "3 seeds, quick size (train_examples = 20,000, epochs = 2); 36 runs, 1,200 steps, 12 s of training, 2 diverged "
        "and were scored as chance (10 %)." in page
    )
    assert "| raw pixels | 97.17 | 97.67 | +0.5 (" in page
    assert "Also measured (not part of the verdict):" in page
    assert "TensorFlow, issue 33027" in page
    assert f"Of 2 conditions: 2 {result.verdict.label}." in page
    assert "- ±1 points: A claim of no need allows" in page


def test_section_contains_remarks_and_supplementary_text() -> None:
    page = claims_report([recorded_results()["O3"]])
    assert "- The training loss does not depend on the moving statistics at all" in page
    assert "| the moving mean, training mode | 0 | 0 | 0 | 0.0001 | no difference |" in page


def test_answers_are_given_only_where_the_result_agrees() -> None:
    recorded = recorded_results()["A1"]
    answer = CLAIMS["A1"].answer
    assert answer is not None
    assert claims_report([recorded]).count(answer.sentence) == 2
    values = {condition.id: ([97.0, 97.4], [97.5, 97.3]) for condition in CLAIMS["A1"].all_conditions}
    other = judge_experiment(plan_experiment(CLAIMS["A1"], "quick", range(2)), values, recorded.cost)
    assert answer.sentence not in claims_report([other])


def test_document_is_the_report_of_the_shipped_results() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == claims_report(recorded_results().values()), (
        "update it with: python -m bnlab report docs/claims.md"
    )
