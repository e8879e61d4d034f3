"""Results of an experiment: what the store holds of it, its numbers, and the verdict."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bnlab.claims.model import Condition, Experiment, Measure, RunMeasure, SpecMeasure, WorkerMeasure
from bnlab.claims.statistics import Interval, confidence_interval, exact_interval, paired_differences
from bnlab.claims.verdicts import Verdict, combine, condition_text, judge, verdict_text
from bnlab.runs.groups import ended_runs
from bnlab.runs.measurements import Measurement, read_measurements, stored_keys
from bnlab.runs.reader import read_evaluations
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec


def trained_specs(experiment: Experiment) -> tuple[RunSpec, ...]:
    """The specs whose runs the experiment needs, each once, ordered by seed."""
    conditions = experiment.claim.all_conditions
    return _specs_of([condition for condition in conditions if _needs_run(condition.measure)], experiment)


def needed_measurements(experiment: Experiment) -> tuple[Measurement, ...]:
    """The measurements that the experiment needs from workers, each once."""
    measurements: dict[Measurement, None] = {}
    for condition in experiment.claim.all_conditions:
        if isinstance(source := condition.measure.source, WorkerMeasure):
            measurements |= dict.fromkeys(map(source.measurement, _specs_of([condition], experiment)))
    return tuple(measurements)


def count_briefly_trained(experiment: Experiment) -> int:
    """How many networks are trained within a measurement alone: for some steps, without a run in the store."""
    measured = {measurement.spec for measurement in needed_measurements(experiment)}
    return len(measured - set(trained_specs(experiment)))


def is_usable(run: Run) -> bool:
    """Whether a run can be evaluated: it was trained here and has ended, be it that it diverged."""
    return run.state in (RunState.COMPLETED, RunState.DIVERGED) and not run.recorded


class MeasureReader:
    """The runs, evaluations and measurements of an experiment, read from the store once."""

    def __init__(self, store: Store, specs: Iterable[RunSpec], measurements: Iterable[Measurement]) -> None:
        """Read the runs of `specs` and the results of `measurements`, as far as they are stored."""
        self.runs = {run.digest: run for run in store.runs([spec.digest for spec in specs])}
        self.tables = read_measurements(store, measurements)
        self._evaluations = read_evaluations(store, list(self.runs.values()))

    def number(self, measure: Measure, specs: Iterable[RunSpec]) -> float:
        """The measure of one arm, whose specs all have the same seed.

        Raises:
            KeyError: a run or a measurement that it needs is missing.
        """
        return float(measure.aggregate([self._value(measure.source, spec) for spec in specs]))

    def _value(self, source: SpecMeasure | RunMeasure | WorkerMeasure, spec: RunSpec) -> float:
        match source:
            case SpecMeasure():
                return source.value(spec)
            case WorkerMeasure():
                return source.value(self.tables[source.measurement(spec)])
            case RunMeasure():
                return source.value(self.runs[spec.digest], self._evaluations[spec.digest])


def _specs_of(conditions: Iterable[Condition], experiment: Experiment) -> tuple[RunSpec, ...]:
    arms = [arm for condition in conditions for arm in condition.arms]
    return tuple(
        dict.fromkeys(spec for seed in experiment.seeds for arm in arms for spec in experiment.specs(arm, seed))
    )


def _needs_run(measure: Measure) -> bool:
    source = measure.source
    return source.after_training if isinstance(source, WorkerMeasure) else isinstance(source, RunMeasure)


@dataclass(frozen=True)
class Coverage:
    """How many of the `runs` needed are `trained`, and how many of the `measurements` needed are `measured`."""

    runs: int
    trained: int
    measurements: int
    measured: int

    @property
    def is_complete(self) -> bool:
        """Whether the trial can be read."""
        return self.trained == self.runs and self.measured == self.measurements

    @property
    def is_partial(self) -> bool:
        """Whether some of it is there, but not all."""
        return not self.is_complete and self.trained + self.measured > 0


@dataclass(frozen=True)
class CachedResults:
    """The digests of all runs that were trained here to their end, and the keys of all measurements."""

    runs: frozenset[str]
    measurements: frozenset[tuple[str, str]]

    def coverage(self, experiment: Experiment, besides: Experiment | None = None) -> Coverage:
        """How much of `experiment` there is; if `besides` is given, of what is not part of that one."""
        measurements = {(measurement.key, measurement.spec.digest) for measurement in needed_measurements(experiment)}
        runs = {spec.digest for spec in trained_specs(experiment)}
        if besides is not None:
            measurements -= {(other.key, other.spec.digest) for other in needed_measurements(besides)}
            runs -= {spec.digest for spec in trained_specs(besides)}
        trained, measured = len(self.runs & runs), len(self.measurements & measurements)
        return Coverage(len(runs), trained, len(measurements), measured)


def read_cached_results(store: Store) -> CachedResults:
    """What the store contains."""
    return CachedResults(frozenset(ended_runs(store)), frozenset(stored_keys(store)))


ArmValues = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""The control's and the treatment's numbers, one per seed, by the condition's id."""


class MissingResultsError(RuntimeError):
    """A trial that cannot be read; `str()` is one sentence for the user."""


@dataclass(frozen=True)
class TrainingCost:
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
class ExperimentResult:
    """What was measured for an experiment, and what it took; equal to none but itself.

    `results` decide the verdict, `supplementary` ones are shown with them. `origin` says when and on what machine a
    recorded trial was made, and is empty for one measured here.
    """

    experiment: Experiment
    results: tuple[ConditionResult, ...]
    supplementary: tuple[ConditionResult, ...]
    verdict: Verdict
    effort: TrainingCost
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
        return self.effort.runs + count_briefly_trained(self.experiment)

    @property
    def difference(self) -> Interval:
        """Treatment minus control by the claim's measure: each seed's mean over the conditions that have it."""
        claim = self.experiment.claim
        per_condition = [r.differences for r in self.results if r.condition.measure.id == claim.measure.id]
        means = [math.fsum(per_seed) / len(per_seed) for per_seed in zip(*per_condition, strict=True)]
        return condition_interval(claim.conditions[0], means)


def read_result(store: Store, experiment: Experiment) -> ExperimentResult:
    """The trial, computed from what the store contains.

    Raises:
        TrialError: a run or a measurement is missing.
    """
    claim, specs, measurements = experiment.claim, trained_specs(experiment), needed_measurements(experiment)
    evidence = MeasureReader(store, specs, measurements)
    runs = tuple(evidence.runs.values())
    _check_runs(experiment, len(specs), runs)
    missing = len(measurements) - len(evidence.tables)
    if missing:
        raise MissingResultsError(f"{missing} of the measurements for {claim.id} have not been taken.")
    numbers = {condition.id: _numbers(evidence, condition, experiment) for condition in claim.all_conditions}
    return judge_experiment(experiment, numbers, effort_of(runs))


def judge_experiment(experiment: Experiment, numbers: ArmValues, effort: TrainingCost, origin: str = "") -> ExperimentResult:
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
    return ExperimentResult(experiment, results, supplementary, verdict, effort, origin)


def effort_of(runs: Sequence[Run]) -> TrainingCost:
    """What `runs` took."""
    return TrainingCost(
        runs=len(runs),
        diverged=sum(run.state is RunState.DIVERGED for run in runs),
        steps=sum(run.step for run in runs),
        seconds=math.fsum(run.seconds for run in runs),
    )


def condition_interval(condition: Condition, values: Sequence[float]) -> Interval:
    """The interval of a condition's numbers; those that follow from the spec are exact."""
    is_exact = isinstance(condition.measure.source, SpecMeasure)
    return exact_interval(values) if is_exact else confidence_interval(values)


def _numbers(evidence: MeasureReader, condition: Condition, experiment: Experiment) -> tuple[list[float], list[float]]:
    control, treatment = (
        [evidence.number(condition.measure, experiment.specs(arm, seed)) for seed in experiment.seeds]
        for arm in condition.arms
    )
    return control, treatment


def _judge_condition(condition: Condition, control: Sequence[float], treatment: Sequence[float]) -> ConditionResult:
    interval = condition_interval(condition, paired_differences(treatment, control))
    verdict = judge(interval, condition.prediction.direction, condition.prediction.smallest_effect)
    return ConditionResult(condition, tuple(treatment), tuple(control), interval, verdict)


def _check_runs(experiment: Experiment, needed: int, runs: Sequence[Run]) -> None:
    missing = needed - sum(map(is_usable, runs))
    if missing:
        errors = sorted({run.error for run in runs if run.error})
        summary = f"{missing} of the {needed} runs of {experiment.claim.id} have not been trained to their end."
        raise MissingResultsError(" ".join([summary, *errors]))


COLUMNS = (
    "id", "condition", "decides", "verdict", "words", "measure", "unit", "control_name", "treatment_name", "control",
    "treatment", "mean", "low", "high", "direction", "smallest_effect", "seeds", "differences",
)  # fmt: skip


def conditions_frame(trial: ExperimentResult) -> pd.DataFrame:
    """One row per condition, those that decide first; COLUMNS.

    `id` and `verdict` are ids, `condition`, `words` and the names are for display. `control` and `treatment` are the
    arms' means over the seeds; `mean`, `low` and `high` are those of the paired differences, treatment minus control,
    which `differences` contains seed by seed, and `unit` is theirs.
    """
    rows = [_row(trial, result, decides=True) for result in trial.results]
    rows += [_row(trial, result, decides=False) for result in trial.supplementary]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"decides": bool})


def _row(trial: ExperimentResult, result: ConditionResult, *, decides: bool) -> dict[str, object]:
    condition, interval = result.condition, result.interval
    return {
        "id": condition.id,
        "condition": condition.title,
        "decides": decides,
        "verdict": str(result.verdict),
        "words": result.text,
        "measure": condition.measure.title,
        "unit": condition.measure.difference_unit,
        "control_name": condition.control.title,
        "treatment_name": condition.treatment.title,
        "control": _mean(result.control),
        "treatment": _mean(result.treatment),
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "direction": condition.prediction.direction,
        "smallest_effect": condition.prediction.smallest_effect,
        "seeds": list(trial.experiment.seeds),
        "differences": result.differences,
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
