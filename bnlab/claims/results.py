"""Results of an experiment: what it needs from the store, how much of that is stored, and the verdicts that follow."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from bnlab.claims.model import Condition, Experiment, Measure, RunMeasure, SpecMeasure, WorkerMeasure
from bnlab.claims.statistics import (
    CONFIDENCE,
    Interval,
    confidence_interval,
    exact_interval,
    holm_intervals,
    paired_differences,
)
from bnlab.claims.verdicts import Verdict, combine, condition_text, judge, verdict_text
from bnlab.runs.groups import ended_runs
from bnlab.runs.measurements import Measurement, read_measurements, stored_keys
from bnlab.runs.reader import read_evaluations
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec

MAX_CACHED = 256
"""Experiments whose specs and measurements are kept: there are hundreds of them, and a page asks for all."""

ArmValues = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""The values of the control and of the treatment, one per seed, by the condition's id."""

COLUMNS = (
    "id", "condition", "group", "decides", "verdict", "words", "measure", "arm_unit", "unit", "better",
    "control_name", "treatment_name", "control", "control_low", "control_high", "treatment", "treatment_low",
    "treatment_high", "mean", "low", "high", "direction", "smallest_effect", "seeds", "differences",
)  # fmt: skip
"""The columns of `conditions_frame`."""


class MissingResultsError(RuntimeError):
    """A run or a measurement that the result needs is not stored; `str()` is one sentence for the user."""


# Runs and measurements that an experiment needs


@lru_cache(MAX_CACHED)
def trained_specs(experiment: Experiment) -> tuple[RunSpec, ...]:
    """The specs whose runs the experiment needs, without duplicates, ordered by seed."""
    conditions = [condition for condition in experiment.claim.all_conditions if _needs_run(condition.measure)]
    return _unique_specs(conditions, experiment)


@lru_cache(MAX_CACHED)
def needed_measurements(experiment: Experiment) -> tuple[Measurement, ...]:
    """The measurements that the experiment needs from workers, without duplicates."""
    measurements: dict[Measurement, None] = {}
    for condition in experiment.claim.all_conditions:
        if isinstance(source := condition.measure.source, WorkerMeasure):
            measurements |= dict.fromkeys(map(source.measurement, _unique_specs([condition], experiment)))
    return tuple(measurements)


def count_briefly_trained(experiment: Experiment) -> int:
    """The number of networks that are trained only within a measurement, for a few steps and without a run."""
    measured = {measurement.spec for measurement in needed_measurements(experiment)}
    return len(measured - set(trained_specs(experiment)))


def is_usable(run: Run) -> bool:
    """Whether the run was trained in this store and is completed or diverged."""
    return run.state in (RunState.COMPLETED, RunState.DIVERGED) and not run.recorded


def _needs_run(measure: Measure) -> bool:
    source = measure.source
    return source.after_training if isinstance(source, WorkerMeasure) else isinstance(source, RunMeasure)


def _unique_specs(conditions: Iterable[Condition], experiment: Experiment) -> tuple[RunSpec, ...]:
    arms = [arm for condition in conditions for arm in condition.arms]
    return tuple(
        dict.fromkeys(spec for seed in experiment.seeds for arm in arms for spec in experiment.specs(arm, seed))
    )


# Coverage: how many of them are stored


@dataclass(frozen=True)
class Coverage:
    """Numbers of needed `runs` and `measurements`, and how many of them are `trained` and `measured`."""

    runs: int
    trained: int
    measurements: int
    measured: int

    @property
    def is_complete(self) -> bool:
        """Whether the result can be read."""
        return self.trained == self.runs and self.measured == self.measurements

    @property
    def is_partial(self) -> bool:
        """Whether something is stored, but not everything."""
        return not self.is_complete and self.trained + self.measured > 0


@dataclass(frozen=True)
class CachedResults:
    """The digests of all usable runs in the store, and the keys of all measurements."""

    runs: frozenset[str]
    measurements: frozenset[tuple[str, str]]

    def coverage(self, experiment: Experiment, excluding: Experiment | None = None) -> Coverage:
        """The coverage of `experiment`, without the runs and measurements that `excluding` needs, too."""
        runs, measurements = _digests(experiment), _measurement_keys(experiment)
        if excluding is not None:
            runs, measurements = runs - _digests(excluding), measurements - _measurement_keys(excluding)
        trained, measured = len(self.runs & runs), len(self.measurements & measurements)
        return Coverage(len(runs), trained, len(measurements), measured)


def read_cached_results(store: Store) -> CachedResults:
    """Read the digests and keys from the store."""
    return CachedResults(frozenset(ended_runs(store)), frozenset(stored_keys(store)))


@lru_cache(MAX_CACHED)
def _digests(experiment: Experiment) -> frozenset[str]:
    return frozenset(spec.digest for spec in trained_specs(experiment))


@lru_cache(MAX_CACHED)
def _measurement_keys(experiment: Experiment) -> frozenset[tuple[str, str]]:
    return frozenset((measurement.key, measurement.spec.digest) for measurement in needed_measurements(experiment))


# Results


@dataclass(frozen=True)
class TrainingCost:
    """The cost of an experiment's runs, diverged ones included; `seconds` are the total time of their steps."""

    runs: int
    diverged: int
    steps: int
    seconds: float


@dataclass(frozen=True)
class ConditionResult:
    """The values of a condition's arms, one per seed, the interval of their paired differences, and the verdict.

    The interval of a deciding condition is corrected for the number of these and of looks; see `judge_experiment`.
    """

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
    def treatment_mean(self) -> float:
        """The mean over the seeds."""
        return sum(self.treatment) / len(self.treatment)

    @property
    def control_mean(self) -> float:
        """The mean over the seeds."""
        return sum(self.control) / len(self.control)

    @property
    def text(self) -> str:
        """The verdict as text."""
        return condition_text(self.verdict, self.interval)


@dataclass(frozen=True, eq=False)
class ExperimentResult:
    """The result of an experiment, compared by identity.

    Attributes:
        experiment: The experiment.
        conditions: The results of the conditions that decide the verdict.
        supplementary: The results of the others.
        verdict: The verdict on the claim.
        cost: The training that it took.
        origin: When and on what machine a recorded result was made; empty for one measured in this store.
    """

    experiment: Experiment
    conditions: tuple[ConditionResult, ...]
    supplementary: tuple[ConditionResult, ...]
    verdict: Verdict
    cost: TrainingCost
    origin: str = ""

    @property
    def all_conditions(self) -> tuple[ConditionResult, ...]:
        """The results of the deciding conditions, then of the supplementary ones."""
        return (*self.conditions, *self.supplementary)

    @property
    def by_verdict(self) -> dict[Verdict, tuple[Condition, ...]]:
        """The deciding conditions by their verdict, without verdicts that no condition has."""
        groups = {v: tuple(result.condition for result in self.conditions if result.verdict is v) for v in Verdict}
        return {verdict: conditions for verdict, conditions in groups.items() if conditions}

    @property
    def next_look(self) -> Experiment | None:
        """The experiment with more seeds that an undecided condition asks for; None if all are decided, or none may."""
        is_undecided = any(result.verdict is Verdict.TOO_FEW_SEEDS for result in self.conditions)
        return self.experiment.next_look if is_undecided else None

    @property
    def text(self) -> str:
        """The verdict as text."""
        supporting = self.by_verdict.get(Verdict.SUPPORTED, ())
        return verdict_text(self.verdict, [condition.title for condition in supporting])

    @property
    def networks(self) -> int:
        """The number of trained networks, including those trained only within a measurement."""
        return self.cost.runs + count_briefly_trained(self.experiment)

    @property
    def difference(self) -> Interval:
        """Treatment minus control in the claim's measure: each seed's mean over the conditions with that measure."""
        claim = self.experiment.claim
        per_condition = [r.differences for r in self.conditions if r.condition.measure.id == claim.measure.id]
        means = [math.fsum(per_seed) / len(per_seed) for per_seed in zip(*per_condition, strict=True)]
        return condition_interval(claim.conditions[0], means, self.experiment.confidence)


def read_result(store: Store, experiment: Experiment) -> ExperimentResult:
    """Compute the result from the runs and measurements in the store.

    Raises:
        MissingResultsError: A run or a measurement is missing.
    """
    claim, specs, measurements = experiment.claim, trained_specs(experiment), needed_measurements(experiment)
    reader = MeasureReader(store, specs, measurements)
    runs = tuple(reader.runs.values())
    _check_runs(experiment, len(specs), runs)
    missing = len(measurements) - len(reader.tables)
    if missing:
        raise MissingResultsError(f"{missing} of the measurements for {claim.id} have not been taken.")
    values = {condition.id: _read_arms(reader, condition, experiment) for condition in claim.all_conditions}
    cost = TrainingCost(
        runs=len(runs),
        diverged=sum(run.state is RunState.DIVERGED for run in runs),
        steps=sum(run.step for run in runs),
        seconds=math.fsum(run.seconds for run in runs),
    )
    return judge_experiment(experiment, values, cost)


def judge_experiment(
    experiment: Experiment, values: ArmValues, cost: TrainingCost, origin: str = ""
) -> ExperimentResult:
    """Compute intervals and verdicts from the values of the arms.

    The verdicts on the deciding conditions are right together with a confidence of 95 % (`holm_intervals`), also if
    seeds are added until they are decided (`bnlab.claims.sequential_design`); those on the supplementary ones each by
    itself.

    Raises:
        KeyError: A condition of the claim has no values.
        ValueError: A condition does not have one value per seed for both arms.
    """
    claim, seeds = experiment.claim, len(experiment.seeds)
    deciding = _judge_together(claim.conditions, values, experiment.confidence)
    supplementary = tuple(
        _judge_condition(condition, values, condition_interval(condition, _differences(condition, values)))
        for condition in claim.supplementary
    )
    if any(len(result.control) != seeds for result in (*deciding, *supplementary)):
        raise ValueError(f"{experiment.name} needs {seeds} values per arm")
    verdict = combine([result.verdict for result in deciding])
    return ExperimentResult(experiment, deciding, supplementary, verdict, cost, origin)


def condition_interval(condition: Condition, values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The interval of a condition's values; exact if they follow from the specs."""
    is_exact = isinstance(condition.measure.source, SpecMeasure)
    return exact_interval(values) if is_exact else confidence_interval(values, confidence)


class MeasureReader:
    """Computes measures from the stored runs, evaluations and measurements of an experiment, which are read once."""

    def __init__(self, store: Store, specs: Iterable[RunSpec], measurements: Iterable[Measurement]) -> None:
        """Read the runs of `specs` and the tables of `measurements` that are stored."""
        self.runs = {run.digest: run for run in store.runs([spec.digest for spec in specs])}
        self.tables = read_measurements(store, measurements)
        self._evaluations = read_evaluations(store, list(self.runs.values()))

    def read(self, measure: Measure, specs: Iterable[RunSpec]) -> float:
        """The value of `measure` for an arm's specs, which have the same seed.

        Raises:
            KeyError: A run or a measurement is missing.
        """
        return float(measure.aggregate([self._read_spec(measure.source, spec) for spec in specs]))

    def _read_spec(self, source: SpecMeasure | RunMeasure | WorkerMeasure, spec: RunSpec) -> float:
        match source:
            case SpecMeasure():
                return source.value(spec)
            case WorkerMeasure():
                return source.value(self.tables[source.measurement(spec)])
            case RunMeasure():
                return source.value(self.runs[spec.digest], self._evaluations[spec.digest])


def _read_arms(reader: MeasureReader, condition: Condition, experiment: Experiment) -> tuple[list[float], list[float]]:
    control, treatment = (
        [reader.read(condition.measure, experiment.specs(arm, seed)) for seed in experiment.seeds]
        for arm in condition.arms
    )
    return control, treatment


def _judge_together(
    conditions: Sequence[Condition], values: ArmValues, confidence: float
) -> tuple[ConditionResult, ...]:
    """The results with intervals corrected for the number of conditions, of which counted ones take no share."""
    estimated = [condition for condition in conditions if not isinstance(condition.measure.source, SpecMeasure)]
    corrected = holm_intervals(
        [_differences(condition, values) for condition in estimated],
        lambda index, interval: _verdict(estimated[index], interval) is not Verdict.TOO_FEW_SEEDS,
        confidence,
    )
    intervals = {condition.id: interval for condition, interval in zip(estimated, corrected, strict=True)}
    return tuple(
        _judge_condition(
            condition,
            values,
            intervals.get(condition.id) or condition_interval(condition, _differences(condition, values)),
        )
        for condition in conditions
    )


def _judge_condition(condition: Condition, values: ArmValues, interval: Interval) -> ConditionResult:
    control, treatment = values[condition.id]
    return ConditionResult(condition, tuple(treatment), tuple(control), interval, _verdict(condition, interval))


def _verdict(condition: Condition, interval: Interval) -> Verdict:
    return judge(interval, condition.prediction.direction, condition.prediction.smallest_effect)


def _differences(condition: Condition, values: ArmValues) -> list[float]:
    control, treatment = values[condition.id]
    return paired_differences(treatment, control)


def _check_runs(experiment: Experiment, needed: int, runs: Sequence[Run]) -> None:
    missing = needed - sum(map(is_usable, runs))
    if missing:
        errors = sorted({run.error for run in runs if run.error})
        summary = f"{missing} of the {needed} runs of {experiment.claim.id} have not been trained to their end."
        raise MissingResultsError(" ".join([summary, *errors]))


# The table for charts


def conditions_frame(result: ExperimentResult) -> pd.DataFrame:
    """One row per condition with the columns COLUMNS, the deciding conditions first.

    `id`, `verdict` and `better` are ids; `condition`, `group`, `words` and the names are for display. `control` and
    `treatment` are the arms' means over the seeds in `arm_unit`, with their 95 % intervals. `differences` are the
    paired differences, treatment minus control, by seed; `mean`, `low` and `high` their interval, and `unit` their
    unit.
    """
    rows = [condition_row(result, condition_result) for condition_result in result.all_conditions]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"decides": bool})


def condition_row(result: ExperimentResult, condition_result: ConditionResult) -> dict[str, Any]:
    """A row of `conditions_frame`."""
    condition, interval = condition_result.condition, condition_result.interval
    arms: dict[str, float] = {}
    for arm, values in (("control", condition_result.control), ("treatment", condition_result.treatment)):
        arm_interval = condition_interval(condition, values)
        arms |= {arm: arm_interval.mean, f"{arm}_low": arm_interval.low, f"{arm}_high": arm_interval.high}
    return {
        "id": condition.id,
        "condition": condition.title,
        "group": condition.group,
        "decides": condition_result in result.conditions,
        "verdict": str(condition_result.verdict),
        "words": condition_result.text,
        "measure": condition.measure.title,
        "arm_unit": condition.measure.unit,
        "unit": condition.measure.difference_unit,
        "better": condition.measure.better,
        "control_name": condition.control.title,
        "treatment_name": condition.treatment.title,
        **arms,
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "direction": condition.prediction.direction,
        "smallest_effect": condition.prediction.smallest_effect,
        "seeds": list(result.experiment.seeds),
        "differences": condition_result.differences,
    }
