"""The trial of a claim: its numbers, the verdict under each condition, and the verdict on the claim."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bnlab.claims.case import Experiment
from bnlab.claims.claim import Condition, SpecMeasure
from bnlab.claims.evidence import Evidence, briefly_trained, is_usable, needed_measurements, trained_specs
from bnlab.claims.statistics import Interval, confidence_interval, exact_interval, paired_differences
from bnlab.claims.verdicts import Verdict, combine, condition_text, judge, verdict_text
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.runs.store import Store

Numbers = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""The control's and the treatment's numbers, one per seed, by the condition's id."""


class TrialError(RuntimeError):
    """A trial that cannot be read; `str()` is one sentence for the user."""


@dataclass(frozen=True)
class Effort:
    """What a trial took; `seconds` are those spent in training steps, of all runs together.

    Runs that diverged, in a loss that is not finite, are included.
    """

    runs: int
    diverged: int
    steps: int
    seconds: float


@dataclass(frozen=True)
class ConditionResult:
    """One condition's numbers, one per seed, the interval of their paired differences, and the verdict."""

    condition: Condition
    treatment: tuple[float, ...]
    control: tuple[float, ...]
    interval: Interval
    verdict: Verdict

    @property
    def differences(self) -> list[float]:
        """Treatment minus control, one per seed."""
        return paired_differences(self.treatment, self.control)

    @property
    def text(self) -> str:
        """The verdict as it is printed."""
        return condition_text(self.verdict, self.interval)


@dataclass(frozen=True, eq=False)
class Trial:
    """What was measured for an experiment, and what it took; equal to none but itself.

    `results` decide the verdict, `supplementary` ones are shown with them. `origin` says when and on what machine a
    recorded trial was made, and is empty for one measured here.
    """

    experiment: Experiment
    results: tuple[ConditionResult, ...]
    supplementary: tuple[ConditionResult, ...]
    verdict: Verdict
    effort: Effort
    origin: str = ""

    @property
    def all_results(self) -> tuple[ConditionResult, ...]:
        """Those that decide, then the supplementary ones."""
        return (*self.results, *self.supplementary)

    @property
    def by_verdict(self) -> dict[Verdict, tuple[Condition, ...]]:
        """The deciding conditions by their verdict; verdicts that none has are left out."""
        found = {v: tuple(result.condition for result in self.results if result.verdict is v) for v in Verdict}
        return {verdict: conditions for verdict, conditions in found.items() if conditions}

    @property
    def text(self) -> str:
        """The verdict as it is printed."""
        supporting = self.by_verdict.get(Verdict.SUPPORTED, ())
        return verdict_text(self.verdict, [condition.title for condition in supporting])

    @property
    def networks(self) -> int:
        """How many were trained for it, those that only a measurement trained for some steps included."""
        return self.effort.runs + briefly_trained(self.experiment)

    @property
    def difference(self) -> Interval:
        """Treatment minus control by the claim's measure: each seed's mean over the conditions that have it."""
        claim = self.experiment.claim
        per_condition = [r.differences for r in self.results if r.condition.measure.id == claim.measure.id]
        means = [math.fsum(per_seed) / len(per_seed) for per_seed in zip(*per_condition, strict=True)]
        return interval_of(claim.conditions[0], means)


def read_trial(store: Store, experiment: Experiment) -> Trial:
    """The trial, computed from what the store contains.

    Raises:
        TrialError: a run or a measurement is missing.
    """
    claim, specs, measurements = experiment.claim, trained_specs(experiment), needed_measurements(experiment)
    evidence = Evidence(store, specs, measurements)
    runs = tuple(evidence.runs.values())
    _check_runs(experiment, len(specs), runs)
    missing = len(measurements) - len(evidence.tables)
    if missing:
        raise TrialError(f"{missing} of the measurements for {claim.id} have not been taken.")
    numbers = {condition.id: _numbers(evidence, condition, experiment) for condition in claim.all_conditions}
    return judge_trial(experiment, numbers, effort_of(runs))


def judge_trial(experiment: Experiment, numbers: Numbers, effort: Effort, origin: str = "") -> Trial:
    """The verdicts that follow from the numbers.

    Raises:
        KeyError: a condition of the claim has no numbers.
        ValueError: a condition's numbers are not one per seed for both arms.
    """
    claim, seeds = experiment.claim, len(experiment.seeds)
    results, supplementary = (
        tuple(_judge_condition(condition, *numbers[condition.id]) for condition in conditions)
        for conditions in (claim.conditions, claim.supplementary)
    )
    if any(len(result.control) != seeds for result in (*results, *supplementary)):
        raise ValueError(f"{experiment.name} needs {seeds} numbers per arm")
    verdict = combine([result.verdict for result in results])
    return Trial(experiment, results, supplementary, verdict, effort, origin)


def effort_of(runs: Sequence[Run]) -> Effort:
    """What `runs` took."""
    return Effort(
        runs=len(runs),
        diverged=sum(run.state is RunState.DIVERGED for run in runs),
        steps=sum(run.step for run in runs),
        seconds=math.fsum(run.seconds for run in runs),
    )


def interval_of(condition: Condition, values: Sequence[float]) -> Interval:
    """The interval of a condition's numbers; those that follow from the spec are exact."""
    is_exact = isinstance(condition.measure.source, SpecMeasure)
    return exact_interval(values) if is_exact else confidence_interval(values)


def _numbers(evidence: Evidence, condition: Condition, experiment: Experiment) -> tuple[list[float], list[float]]:
    control, treatment = (
        [evidence.number(condition.measure, experiment.specs(arm, seed)) for seed in experiment.seeds]
        for arm in condition.arms
    )
    return control, treatment


def _judge_condition(condition: Condition, control: Sequence[float], treatment: Sequence[float]) -> ConditionResult:
    interval = interval_of(condition, paired_differences(treatment, control))
    verdict = judge(interval, condition.prediction.direction, condition.prediction.smallest_effect)
    return ConditionResult(condition, tuple(treatment), tuple(control), interval, verdict)


def _check_runs(experiment: Experiment, needed: int, runs: Sequence[Run]) -> None:
    missing = needed - sum(map(is_usable, runs))
    if missing:
        errors = sorted({run.error for run in runs if run.error})
        summary = f"{missing} of the {needed} runs of {experiment.claim.id} have not been trained to their end."
        raise TrialError(" ".join([summary, *errors]))
