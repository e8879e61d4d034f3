"""A claim's trial: its numbers, what they say under each condition, and the verdict."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bnlab.claims.case import Case
from bnlab.claims.claim import Condition, Counted
from bnlab.claims.evidence import Evidence, counts, every_condition, looked_into, probes, sized, trained_specs
from bnlab.claims.statistics import Interval, confidence_interval, exact_interval, paired_differences
from bnlab.claims.verdicts import Verdict, Where, combine, condition_text, judge, verdict_text
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.runs.store import Store

Numbers = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""The control's and the treatment's numbers, one a seed, by the condition's name."""


class TrialError(RuntimeError):
    """A trial that cannot be read; `str()` is one sentence for the user."""


@dataclass(frozen=True)
class Effort:
    """What stands behind a trial; `seconds` are those spent in steps, of all runs together.

    Runs that diverged, in a loss that is not finite, count like any other.
    """

    runs: int
    diverged: int
    steps: int
    seconds: float


@dataclass(frozen=True)
class Cell:
    """One condition's numbers, one a seed, the interval of their paired differences, and what that says."""

    condition: Condition
    treatment: tuple[float, ...]
    control: tuple[float, ...]
    interval: Interval
    verdict: Verdict

    @property
    def differences(self) -> list[float]:
        """Treatment minus control, one a seed."""
        return paired_differences(self.treatment, self.control)

    @property
    def words(self) -> str:
        """The verdict as it is printed."""
        return condition_text(self.verdict, self.interval)


@dataclass(frozen=True, eq=False)
class Trial:
    """What was measured of a case, and what stands behind it; equal to none but itself.

    `cells` decide, `beside` are shown with them. `where` maps each verdict to the conditions that gave it. `origin`
    says when and on what machine a recorded trial was held, and is empty for one held here.
    """

    case: Case
    cells: tuple[Cell, ...]
    beside: tuple[Cell, ...]
    verdict: Verdict
    where: Where
    effort: Effort
    origin: str = ""

    @property
    def words(self) -> str:
        """The verdict as it is printed."""
        return verdict_text(self.verdict, self.where)

    @property
    def networks(self) -> int:
        """How many were trained for it, those included that were only looked into after some steps."""
        return self.effort.runs + looked_into(self.case)

    @property
    def difference(self) -> Interval:
        """Treatment minus control by the claim's measure: each seed's mean over the conditions that have it."""
        claim = self.case.claim
        pairs = [cell.differences for cell in self.cells if cell.condition.measure == claim.measure]
        means = [math.fsum(row) / len(row) for row in zip(*pairs, strict=True)]
        return interval_of(claim.conditions[0], means)


def read_trial(store: Store, case: Case) -> Trial:
    """The trial as the store has it.

    Raises:
        TrialError: a run or an answer is missing.
    """
    specs, asked = trained_specs(case), probes(case)
    evidence = Evidence(store, specs, asked)
    runs = tuple(evidence.runs.values())
    _check_runs(case, len(specs), runs)
    lacking = len(asked) - len(evidence.answers)
    if lacking:
        raise TrialError(f"{lacking} of the probes of {case.claim.id} have not been answered.")
    numbers = {condition.name: _numbers(evidence, condition, case) for condition in every_condition(case.claim)}
    return judge_trial(case, numbers, effort_of(runs))


def judge_trial(case: Case, numbers: Numbers, effort: Effort, origin: str = "") -> Trial:
    """What the numbers say.

    Raises:
        KeyError: a condition of the claim has no numbers.
        ValueError: a condition's numbers are not one a seed for both arms.
    """
    cells = {condition: _cell(condition, *numbers[condition.name]) for condition in every_condition(case.claim)}
    if any(len(cell.control) != len(case.seeds) for cell in cells.values()):
        raise ValueError(f"{case.name} needs {len(case.seeds)} numbers an arm")
    deciding = tuple(cells[condition] for condition in case.claim.conditions)
    verdict, where = combine({cell.condition.name: cell.verdict for cell in deciding})
    beside = tuple(cells[condition] for condition in case.claim.beside)
    return Trial(case, deciding, beside, verdict, where, effort, origin)


def effort_of(runs: Sequence[Run]) -> Effort:
    """What `runs` took."""
    return Effort(
        runs=len(runs),
        diverged=sum(run.state is RunState.DIVERGED for run in runs),
        steps=sum(run.step for run in runs),
        seconds=math.fsum(run.seconds for run in runs),
    )


def interval_of(condition: Condition, values: Sequence[float]) -> Interval:
    """The interval of a condition's numbers: what is counted has no spread to estimate."""
    counted = isinstance(condition.measure.source, Counted)
    return exact_interval(values) if counted else confidence_interval(values)


def _numbers(evidence: Evidence, condition: Condition, case: Case) -> tuple[list[float], list[float]]:
    control, treatment = (
        [evidence.number(condition.measure, sized(arm, case, seed)) for seed in case.seeds] for arm in condition.arms
    )
    return control, treatment


def _cell(condition: Condition, control: Sequence[float], treatment: Sequence[float]) -> Cell:
    interval = interval_of(condition, paired_differences(treatment, control))
    predicted = condition.prediction
    verdict = judge(interval, predicted.direction, predicted.smallest_effect)
    return Cell(condition, tuple(treatment), tuple(control), interval, verdict)


def _check_runs(case: Case, needed: int, runs: Sequence[Run]) -> None:
    lacking = needed - sum(counts(run) for run in runs)
    if lacking:
        errors = sorted({run.error for run in runs if run.error})
        words = f"{lacking} of the {needed} runs of {case.claim.id} have not been trained to their end."
        raise TrialError(" ".join([words, *errors]))
