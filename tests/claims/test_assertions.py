"""Answers agree with the recorded results, and a test fails when they no longer do."""

from dataclasses import replace

import pytest

from bnlab.claims.assertions import disagreements
from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import ClaimAnswer, QuotedNumber, plan_experiment
from bnlab.claims.recorded import recorded_results
from bnlab.claims.results import ExperimentResult, TrainingCost, judge_experiment
from bnlab.claims.verdicts import Verdict
from tests.tiny_claim import CLAIM

ANSWER = ClaimAnswer(Verdict.SUPPORTED, "BN adds 11.3 points to 80.", numbers=(QuotedNumber("11.3", "small", "more"),))


def make_result(control: list[float], treatment: list[float]) -> ExperimentResult:
    experiment = plan_experiment(CLAIM, "quick", range(len(control)))
    return judge_experiment(experiment, {"small": (control, treatment)}, TrainingCost(0, 0, 0, 0.0))


RESULT = make_result([80.0, 80.0, 80.2], [91.2, 91.3, 91.6])


@pytest.mark.parametrize("name", CLAIMS)
def test_every_answer_agrees_with_the_recorded_result(name: str) -> None:
    answer, result = CLAIMS[name].answer, recorded_results().get(name)
    assert answer is not None, "a claim ships with its answer"
    assert result is not None, "a claim ships with its result"
    assert disagreements(answer, result) == []


@pytest.mark.parametrize("name", CLAIMS)
def test_every_answer_is_one_sentence_that_names_its_numbers(name: str) -> None:
    answer = CLAIMS[name].answer
    assert answer is not None
    assert answer.sentence.endswith(".")
    assert ". " not in answer.sentence
    assert all(number.text in answer.sentence for number in answer.numbers)
    assert answer.numbers or answer.verdicts, "it asserts something"
    ids = {condition.id for condition in CLAIMS[name].all_conditions}
    assert {answer.shown or CLAIMS[name].conditions[0].id, *answer.verdicts} <= ids


def test_an_answer_agrees_with_what_it_asserts() -> None:
    assert disagreements(ANSWER, RESULT) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"verdict": Verdict.CONDITIONAL}, "The verdict is supported, not conditional."),
        ({"verdicts": {"small": Verdict.NO_DIFFERENCE}}, "small is supported, not no_difference."),
        ({"numbers": (QuotedNumber("11.2", "small", "more"),)}, "'11.2' stands for more of small, which is 11.3"),
        ({"numbers": (QuotedNumber("11.3", "small", "less"),)}, "'11.3' stands for less of small, which is -11.3"),
        ({"numbers": (QuotedNumber("a third", "small", "ratio", 0.3, 0.4),)}, "'a third' stands for ratio of small"),
        ({"numbers": (QuotedNumber("81", "small", "control"),)}, "'81' stands for control of small, which is 80.06"),
        (
            {"numbers": (QuotedNumber("90", "small", "treatment"),)},
            "'90' stands for treatment of small, which is 91.36",
        ),
    ],
)
def test_each_kind_of_assertion_can_fail(changes: dict, fault: str) -> None:
    (found,) = disagreements(replace(ANSWER, **changes), RESULT)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("text", "bounds"), [("0.7", (0.65, 0.75)), ("85", (84.5, 85.5)), ("10,403", (10_402.5, 10_403.5))]
)
def test_a_number_is_right_for_what_rounds_to_it(text: str, bounds: tuple[float, float]) -> None:
    assert QuotedNumber(text, "small", "more").bounds == pytest.approx(bounds)


def test_growth_of_gradients_is_that_of_the_discussion() -> None:
    """The squared norm's factor per layer, against the network without BN; π / (π − 1) = 1.467 in wide networks."""
    results = {result.condition.id: result for result in recorded_results()["A3"].all_conditions}
    growth = {depth: 10 ** (2 * results[f"relu_{depth}_step_0"].interval.mean / (depth - 1)) for depth in (10, 20, 30)}
    assert [f"{growth[depth]:.2f}" for depth in (10, 20, 30)] == ["1.48", "1.48", "1.46"]
    for depth in (10, 20):
        first, second = (results[f"relu_{depth}_step_{step}"].treatment_mean for step in (0, 1))
        assert 0 < first - second < 0.13, "the range hardly falls after one step"
    assert [f"{results[f'relu_30_step_{step}'].treatment_mean:.1f}" for step in (0, 1)] == ["2.8", "2.1"]
