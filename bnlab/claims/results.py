"""Results of an experiment: what it needs from the store, how much of that is stored, and the verdicts that follow."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

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

MAX_CACHED = 256
"""Experiments whose specs and measurements are kept: there are hundreds of them, and a page asks for all."""

ArmValues = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""The values of the control and of the treatment, one per seed, by the condition's id."""

COLUMNS = (
    "id", "condition", "decides", "verdict", "words", "measure", "unit", "control_name", "treatment_name", "control",
    "treatment", "mean", "low", "high", "direction", "smallest_effect", "seeds", "differences",
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
    """The values of a condition's arms, one per seed, the interval of their paired differences, and the verdict."""

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
        return condition_interval(claim.conditions[0], means)


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

    Raises:
        KeyError: A condition of the claim has no values.
        ValueError: A condition does not have one value per seed for both arms.
    """
    claim, seeds = experiment.claim, len(experiment.seeds)
    deciding, supplementary = (
        tuple(_judge_condition(condition, *values[condition.id]) for condition in conditions)
        for conditions in (claim.conditions, claim.supplementary)
    )
    if any(len(result.control) != seeds for result in (*deciding, *supplementary)):
        raise ValueError(f"{experiment.name} needs {seeds} values per arm")
    verdict = combine([result.verdict for result in deciding])
    return ExperimentResult(experiment, deciding, supplementary, verdict, cost, origin)


def condition_interval(condition: Condition, values: Sequence[float]) -> Interval:
    """The interval of a condition's values; exact if they follow from the specs."""
    is_exact = isinstance(condition.measure.source, SpecMeasure)
    return exact_interval(values) if is_exact else confidence_interval(values)


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


# The table for charts


def conditions_frame(result: ExperimentResult) -> pd.DataFrame:
    """One row per condition with the columns COLUMNS, the deciding conditions first.

    `id` and `verdict` are ids; `condition`, `words` and the names are for display. `control` and `treatment` are the
    arms' means over the seeds. `differences` are the paired differences, treatment minus control, by seed; `mean`,
    `low` and `high` their interval, and `unit` their unit.
    """
    rows = [
        *(_row(result.experiment, condition_result, decides=True) for condition_result in result.conditions),
        *(_row(result.experiment, condition_result, decides=False) for condition_result in result.supplementary),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"decides": bool})


def _row(experiment: Experiment, result: ConditionResult, *, decides: bool) -> dict[str, object]:
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
        "control": result.control_mean,
        "treatment": result.treatment_mean,
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "direction": condition.prediction.direction,
        "smallest_effect": condition.prediction.smallest_effect,
        "seeds": list(experiment.seeds),
        "differences": result.differences,
    }
