"""Runs an experiment: trains its runs, then takes its measurements, until its result can be read."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.labels import labelled_specs
from bnlab.claims.model import Experiment, parse_experiment
from bnlab.claims.results import Coverage, is_usable, needed_measurements, trained_specs
from bnlab.runs.experiment_queue import dequeue, enqueue, queued
from bnlab.runs.groups import ended_runs, launched_singly
from bnlab.runs.measurements import Measurement, stored_measurements, take_measurement
from bnlab.runs.run import Run, RunState, unreadable_text
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.shares import NO_VISITOR
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec

INTERRUPTED = (RunState.FAILED, RunState.STOPPED)


@dataclass(frozen=True)
class ClaimProgress:
    """The progress of an experiment.

    Attributes:
        runs: Its runs at the time.
        coverage: How many of its runs and measurements are stored.
        problem: One sentence about an error; empty without one.
        has_failed: Whether the experiment waits for another call of `start`.
        seconds_left: The time to the last measurement at the pace of the latest ones; None while it is unknown.
    """

    runs: tuple[Run, ...]
    coverage: Coverage
    problem: str
    has_failed: bool
    seconds_left: float | None = None

    @property
    def fraction(self) -> float:
        """The share of the work that is done, from 0 to 1; a run and a measurement have the same weight."""
        runs = sum(min(1.0, run.step / max(1, run.total_steps)) for run in self.runs if not run.recorded)
        total = self.coverage.runs + self.coverage.measurements
        return (runs + self.coverage.measured) / total if total else 1.0

    @property
    def is_complete(self) -> bool:
        """Whether the result can be read."""
        return self.coverage.is_complete


class ClaimRunner:
    """Runs one experiment. Its state is in the store, so a runner in another process can continue it."""

    def __init__(self, scheduler: Scheduler, experiment: Experiment) -> None:
        """Training begins with `start`, or with `progress` if the experiment was started earlier."""
        self.experiment = experiment
        self._scheduler = scheduler
        self._pending: dict[Measurement, Future[None]] = {}
        self._first_submission: tuple[float, int] | None = None  # its time and the number of stored measurements

    def start(self, visitor: str = NO_VISITOR) -> None:
        """Launch the experiment's missing runs for `visitor`, then queue it; returns at once.

        Raises:
            bnlab.runs.errors.StoreError: one of its runs is not readable; nothing is launched or queued.
        """
        store = self._scheduler.store
        self._first_submission = None
        self._pending = {measurement: future for measurement, future in self._pending.items() if not future.done()}
        missing = set(missing_specs(store, self.experiment))
        labelled = [(spec, label) for spec, label in labelled_specs(self.experiment) if spec in missing]
        self._scheduler.launch_group(self.experiment.name, labelled, visitor)
        enqueue(store, [self.experiment.name], visitor)  # now, since it waits for runs that exist

    def progress(self) -> ClaimProgress:
        """Read the progress; submits the measurements once all runs have ended."""
        specs, measurements = self._specs, self._measurements
        store = self._scheduler.store
        runs = tuple(store.runs([spec.digest for spec in specs]))
        taken = stored_measurements(store, measurements)
        coverage = Coverage(len(specs), sum(map(is_usable, runs)), len(measurements), len(taken))
        if coverage.trained == coverage.runs:
            self._submit([measurement for measurement in measurements if measurement not in taken], len(taken))
        failures = self._failures(runs)
        problem = " ".join(failures) or self._scheduler.problem
        return ClaimProgress(runs, coverage, problem, bool(failures), self._seconds_left(coverage))

    def stop(self, visitor: str | None = None) -> None:
        """Stop the experiment for `visitor`, or for everybody: it goes on while another visitor wants it.

        Otherwise it is removed from the queue and its runs are stopped; those without a step are deleted. Runs that
        another queued experiment needs, or that were launched individually, continue.
        """
        store = self._scheduler.store
        is_removed = dequeue(store, self.experiment.name, visitor)
        others = [other for name in queued(store) if (other := parse_experiment(name, CLAIMS))]
        needed = {spec.digest for other in others if other != self.experiment for spec in trained_specs(other)}
        unneeded = {spec.digest for spec in self._specs} - needed
        self._scheduler.withdraw(unneeded - launched_singly(store, unneeded), visitor)
        if not is_removed:
            return
        for future in self._pending.values():
            future.cancel()
        self._pending.clear()

    @property
    def _specs(self) -> tuple[RunSpec, ...]:
        return trained_specs(self.experiment)

    @property
    def _measurements(self) -> tuple[Measurement, ...]:
        return needed_measurements(self.experiment)

    def _submit(self, measurements: Sequence[Measurement], measured: int) -> None:
        self._first_submission = self._first_submission or (time.monotonic(), measured)
        url = self._scheduler.store.url
        for measurement in measurements:
            if measurement not in self._pending:
                self._pending[measurement] = self._scheduler.submit(take_measurement, url, measurement)

    def _seconds_left(self, coverage: Coverage) -> float | None:
        started, measured_before = self._first_submission or (0.0, coverage.measured)
        done, remaining = coverage.measured - measured_before, coverage.measurements - coverage.measured
        return (time.monotonic() - started) * remaining / done if done > 0 else None

    def _failures(self, runs: Sequence[Run]) -> list[str]:
        interrupted = [run for run in runs if run.state in INTERRUPTED]
        verb = "was" if len(interrupted) == 1 else "were"
        summary = [f"{len(interrupted)} of its runs {verb} stopped or failed."] if interrupted else []
        if gone := {spec.digest for spec in self._specs} - {run.digest for run in runs if not run.recorded}:
            unreadable = self._scheduler.store.unreadable_runs(gone)
            deleted = len(gone) - len(unreadable)
            summary += [unreadable_text(unreadable)] if unreadable else []
            summary += [f"{deleted} of its runs {'was' if deleted == 1 else 'were'} deleted."] if deleted else []
        errors = {run.error for run in interrupted if run.error}
        errors |= {str(error) for future in self._pending.values() if future.done() and (error := future.exception())}
        return [*summary, *sorted(errors)]


def missing_specs(store: Store, experiment: Experiment) -> tuple[RunSpec, ...]:
    """The specs whose runs the experiment needs and that have not been trained to their end in this store."""
    ended = ended_runs(store)
    return tuple(spec for spec in trained_specs(experiment) if spec.digest not in ended)
