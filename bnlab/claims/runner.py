"""Runs an experiment: trains its runs and takes its measurements until a verdict can be read."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import Experiment, parse_experiment
from bnlab.claims.results import Coverage, is_usable, needed_measurements, trained_specs
from bnlab.runs.experiment_queue import dequeue, enqueue, queued
from bnlab.runs.groups import ended_runs, launched_alone
from bnlab.runs.measurements import Measurement, stored_measurements, take_measurement
from bnlab.runs.run import Run, RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.specs.comparison import MAX_LABEL_LENGTH
from bnlab.specs.diff import NO_VALUE, differing_fields
from bnlab.specs.run_spec import RunSpec

_ACTIVATION = str(RunSpec.model_fields["activation"].title)


def labelled_specs(experiment: Experiment) -> list[tuple[RunSpec, str]]:
    """The specs whose runs the experiment needs with their labels, as `A1: BN on the input, raw pixels`."""
    labels = spec_labels(experiment)
    first_seed = {"seed": experiment.seeds.start}
    return [
        (spec, _prefix(experiment) + labels[spec.model_copy(update=first_seed)]) for spec in trained_specs(experiment)
    ]


def spec_labels(experiment: Experiment) -> dict[RunSpec, str]:
    """What each spec of the first seed is called within the experiment, as `BN on the input, raw pixels`.

    The title of its arm and, where several specs have an arm of that title, the values that distinguish them; with the
    claim's id before it, at most LONGEST_LABEL characters.
    """
    seed = experiment.seeds.start
    arms = [arm for condition in experiment.claim.all_conditions for arm in condition.arms]
    arms.sort(key=lambda arm: len(arm.specs))
    # A spec can be in several arms: the smallest describes it best and is therefore assigned last.
    titles = {spec: arm.run_title or arm.title for arm in reversed(arms) for spec in experiment.specs(arm, seed)}
    longest = MAX_LABEL_LENGTH - len(_prefix(experiment))
    labels: dict[RunSpec, str] = {}
    for title in set(titles.values()):
        specs = [spec for spec in titles if titles[spec] == title]
        labels |= {spec: _label(title, values, longest) for spec, values in _distinguishing_values(specs).items()}
    return labels


def _prefix(experiment: Experiment) -> str:
    return f"{experiment.claim.id}: "


def _distinguishing_values(specs: list[RunSpec]) -> dict[RunSpec, dict[str, str]]:
    """For each spec, the values that distinguish it from the others, of few fields, by the fields' titles."""
    fields = differing_fields({spec.digest: spec for spec in specs})
    chosen: dict[RunSpec, dict[str, str]] = {spec: {} for spec in specs}
    # The activation says most, and "yes" or "no" least.
    for title in sorted(fields, key=lambda title: ("yes" in fields[title].values(), title != _ACTIVATION)):
        extended = {spec: values | {title: fields[title][spec.digest]} for spec, values in chosen.items()}
        if _count_distinct(extended) > _count_distinct(chosen):
            chosen = extended
    return chosen


def _count_distinct(values_by_spec: dict[RunSpec, dict[str, str]]) -> int:
    return len({tuple(values.values()) for values in values_by_spec.values()})


def _label(title: str, values: dict[str, str], longest: int) -> str:
    """The title and the values; numbers are preceded by what they are, as in `rate 0.1`, if there is room for that."""
    values = {field: value for field, value in values.items() if value != NO_VALUE}
    named = [f"{field.lower().split()[-1]} {value}" if value[0].isdigit() else value for field, value in values.items()]
    full, short = (", ".join([title, *parts]) for parts in (named, values.values()))
    return full if len(full) <= longest else short[:longest]


INTERRUPTED = (RunState.FAILED, RunState.STOPPED)


@dataclass(frozen=True)
class ClaimProgress:
    """How far an experiment has come: its runs as they are, and its `coverage`.

    `problem` is one sentence about what went wrong, empty otherwise. If the experiment `has_failed`, it does not go on
    until it is started again. `seconds_left` is the time until the last measurement, at the pace of the latest ones;
    None while that is unknown.
    """

    runs: tuple[Run, ...]
    coverage: Coverage
    problem: str
    has_failed: bool
    seconds_left: float | None = None

    @property
    def fraction(self) -> float:
        """How much is done, from 0 to 1; a run and a measurement count the same."""
        runs = sum(min(1.0, run.step / max(1, run.total_steps)) for run in self.runs if not run.recorded)
        total = self.coverage.runs + self.coverage.measurements
        return (runs + self.coverage.measured) / total if total else 1.0

    @property
    def is_complete(self) -> bool:
        """Whether the trial can be read."""
        return self.coverage.is_complete


class ClaimRunner:
    """Runs one experiment on a lab. Its state is in the store, so another lab can continue it."""

    def __init__(self, lab: Scheduler, experiment: Experiment) -> None:
        """Nothing is trained before `start`, nor before `progress` of an experiment that was started earlier."""
        self.experiment = experiment
        self._lab = lab
        self._pending: dict[Measurement, Future[None]] = {}
        self._first_submitted: tuple[float, int] | None = None  # when, and how many measurements there were

    def start(self) -> None:
        """Queue the experiment and launch those of its runs that have not ended yet; returns at once."""
        self._first_submitted = None
        self._pending = {measurement: task for measurement, task in self._pending.items() if not task.done()}
        enqueue(self._lab.store, [self.experiment.name])
        missing = set(missing_specs(self._lab.store, self.experiment))
        labelled = [(spec, label) for spec, label in labelled_specs(self.experiment) if spec in missing]
        self._lab.launch_group(self.experiment.name, labelled)

    def progress(self) -> ClaimProgress:
        """How far the experiment has come; submits the measurements once all runs have ended."""
        specs, measurements = self._specs, self._measurements
        runs = tuple(self._lab.store.runs([spec.digest for spec in specs]))
        taken = stored_measurements(self._lab.store, measurements)
        coverage = Coverage(len(specs), sum(map(is_usable, runs)), len(measurements), len(taken))
        if coverage.trained == coverage.runs:
            self._submit([measurement for measurement in measurements if measurement not in taken], len(taken))
        failures = self._failures(runs)
        problem = " ".join(failures) or self._lab.problem
        return ClaimProgress(runs, coverage, problem, bool(failures), self._seconds_left(coverage))

    def stop(self) -> None:
        """Remove the experiment from the queue and stop its runs; those that have not taken a step are deleted.

        Runs that another queued experiment needs, or that were launched on their own, are left alone.
        """
        store = self._lab.store
        dequeue(store, self.experiment.name)
        others = [other for name in queued(store) if (other := parse_experiment(name, CLAIMS))]
        needed = {spec.digest for other in others for spec in trained_specs(other)}
        unneeded = {spec.digest for spec in self._specs} - needed
        self._lab.withdraw(unneeded - launched_alone(store, unneeded))
        for task in self._pending.values():
            task.cancel()
        self._pending.clear()

    @cached_property
    def _specs(self) -> tuple[RunSpec, ...]:
        return trained_specs(self.experiment)  # hundreds, and a page asks every second

    @cached_property
    def _measurements(self) -> tuple[Measurement, ...]:
        return needed_measurements(self.experiment)

    def _submit(self, measurements: Sequence[Measurement], taken: int) -> None:
        self._first_submitted = self._first_submitted or (time.monotonic(), taken)
        for measurement in measurements:
            if measurement not in self._pending:
                url = self._lab.store.url
                self._pending[measurement] = self._lab.submit(take_measurement, url, measurement)

    def _seconds_left(self, coverage: Coverage) -> float | None:
        started, before = self._first_submitted or (0.0, coverage.measured)
        taken, left = coverage.measured - before, coverage.measurements - coverage.measured
        return (time.monotonic() - started) * left / taken if taken > 0 else None

    def _failures(self, runs: Sequence[Run]) -> list[str]:
        interrupted = [run for run in runs if run.state in INTERRUPTED]
        verb = "was" if len(interrupted) == 1 else "were"
        summary = [f"{len(interrupted)} of its runs {verb} stopped or failed."] if interrupted else []
        errors = {run.error for run in interrupted if run.error}
        errors |= {str(error) for task in self._pending.values() if task.done() and (error := task.exception())}
        return [*summary, *sorted(errors)]


def missing_specs(store: Store, experiment: Experiment) -> tuple[RunSpec, ...]:
    """The specs that the experiment needs and that have not been trained here to their end."""
    ended = ended_runs(store)
    return tuple(spec for spec in trained_specs(experiment) if spec.digest not in ended)
