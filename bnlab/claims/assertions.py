"""Whether a result agrees with what a claim's answer asserts."""

from bnlab.claims.model import ClaimAnswer, QuotedNumber
from bnlab.claims.results import ConditionResult, ExperimentResult


def disagreements(answer: ClaimAnswer, result: ExperimentResult) -> list[str]:
    """A sentence for each assertion of `answer` that is not true of `result`; empty if it may be shown with it."""
    by_id = {condition_result.condition.id: condition_result for condition_result in result.all_conditions}
    faults = []
    if result.verdict is not answer.verdict:
        faults.append(f"The verdict is {result.verdict}, not {answer.verdict}.")
    for condition, verdict in answer.verdicts.items():
        if by_id[condition].verdict is not verdict:
            faults.append(f"{condition} is {by_id[condition].verdict}, not {verdict}.")
    for number in answer.numbers:
        value = quoted_value(number, by_id[number.condition])
        low, high = number.bounds
        if not low <= value <= high:
            faults.append(f"{number.text!r} stands for {number.of} of {number.condition}, which is {value:.6g}.")
    return faults


def quoted_value(number: QuotedNumber, result: ConditionResult) -> float:
    """The value of `result` that `number` stands for."""
    match number.of:
        case "control":
            return result.control_mean
        case "treatment":
            return result.treatment_mean
        case "more":
            return result.treatment_mean - result.control_mean
        case "less":
            return result.control_mean - result.treatment_mean
        case "ratio":
            return result.treatment_mean / result.control_mean
