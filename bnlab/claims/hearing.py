"""Running an experiment: its runs are trained and its measurements taken until the trial can be read."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property

from bnlab.claims.case import Experiment, parse_experiment
from bnlab.claims.evidence import is_usable, needed_measurements, trained_specs
from bnlab.claims.labels import labelled_specs
from bnlab.claims.registry import CLAIMS
from bnlab.claims.stock import Coverage
from bnlab.runs.answers import Measurement, stored, take_measurement
from bnlab.runs.docket import enter, entered, strike
from bnlab.runs.groups import ended_runs, launched_alone
from bnlab.runs.lab import Lab
from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.runs.store import Store
from bnlab.spec.run_spec import RunSpec

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

    def __init__(self, lab: Lab, experiment: Experiment) -> None:
        """Nothing is trained before `start`, nor before `progress` of an experiment that was started earlier."""
        self.experiment = experiment
        self._lab = lab
        self._pending: dict[Measurement, Future[None]] = {}
        self._first_submitted: tuple[float, int] | None = None  # when, and how many measurements there were

    def start(self) -> None:
        """Queue the experiment and launch those of its runs that have not ended yet; returns at once."""
        self._first_submitted = None
        self._pending = {measurement: task for measurement, task in self._pending.items() if not task.done()}
        enter(self._lab.store, [self.experiment.name])
        missing = set(missing_specs(self._lab.store, self.experiment))
        labelled = [(spec, label) for spec, label in labelled_specs(self.experiment) if spec in missing]
        self._lab.launch_group(self.experiment.name, labelled)

    def progress(self) -> ClaimProgress:
        """How far the experiment has come; submits the measurements once all runs have ended."""
        specs, measurements = self._specs, self._measurements
        runs = tuple(self._lab.store.runs([spec.digest for spec in specs]))
        taken = stored(self._lab.store, measurements)
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
        strike(store, self.experiment.name)
        queued = [other for name in entered(store) if (other := parse_experiment(name, CLAIMS))]
        needed = {spec.digest for other in queued for spec in trained_specs(other)}
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
