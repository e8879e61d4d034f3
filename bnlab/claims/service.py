"""The claims with their results and running experiments, as all sessions of the app share them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import Claim, Experiment, parse_experiment, plan_experiment
from bnlab.claims.recorded import recorded_results
from bnlab.claims.results import CachedResults, ExperimentResult, read_cached_results, read_result
from bnlab.claims.runner import ClaimProgress, ClaimRunner
from bnlab.runs.experiment_queue import queued
from bnlab.runs.run import Run
from bnlab.runs.scheduler import Scheduler


@dataclass(frozen=True)
class ClaimStatus:
    """The latest result of a claim and, while another experiment is queued for it, that one's runner and progress."""

    result: ExperimentResult | None
    runner: ClaimRunner | None = None
    progress: ClaimProgress | None = None

    @property
    def is_running(self) -> bool:
        """Whether an experiment is in progress."""
        return self.progress is not None and not self.progress.has_failed

    @property
    def is_measured_here(self) -> bool:
        """Whether the result was measured in this store, not recorded elsewhere."""
        return self.result is not None and not self.result.origin


class ClaimService:
    """Shared by all sessions: keeps one runner per experiment, and caches each result until its runs change."""

    def __init__(self, scheduler: Scheduler) -> None:
        """`scheduler` trains the runs of the experiments."""
        self.scheduler = scheduler
        self._lock = threading.Lock()
        self._runners: dict[str, ClaimRunner] = {}
        self._results: dict[str, tuple[object, ExperimentResult]] = {}
        self._complete: set[str] = set()

    def snapshot(self) -> "ClaimSnapshot":
        """A new snapshot of the claims."""
        return ClaimSnapshot(self)

    def runner(self, experiment: Experiment) -> ClaimRunner:
        """The runner of the experiment, always the same."""
        with self._lock:
            return self._runners.setdefault(experiment.name, ClaimRunner(self.scheduler, experiment))

    def runner_of(self, name: str) -> ClaimRunner:
        """The runner of the experiment called `name`, always the same.

        Raises:
            KeyError: there is no such experiment.
        """
        experiment = parse_experiment(name, CLAIMS)
        if experiment is None:
            raise KeyError(name)
        return self.runner(experiment)

    def continue_queued(self) -> None:
        """Submit the measurements of queued experiments whose runs have ended, which pages do only while watched."""
        for name in queued(self.scheduler.store):
            experiment = parse_experiment(name, CLAIMS)
            if experiment is None or name in self._complete:
                continue
            if self.runner(experiment).progress().is_complete:
                self._complete.add(name)

    def read(self, experiment: Experiment, runs: Sequence[Run] = ()) -> ExperimentResult:
        """The result of a complete experiment, whose runs are `runs`."""
        version = tuple(run.updated_at for run in runs)
        cached = self._results.get(experiment.name)
        if cached is None or cached[0] != version:
            cached = self._results[experiment.name] = (version, read_result(self.scheduler.store, experiment))
        return cached[1]


class ClaimSnapshot:
    """The state of the claims for one draw of a page: each part is read from the store once, when first needed."""

    def __init__(self, service: ClaimService) -> None:
        """Created by `ClaimService.snapshot`."""
        self.service = service
        self._statuses: dict[str, ClaimStatus] = {}

    def status(self, claim: Claim) -> ClaimStatus:
        """The status of `claim`. Continues a queued experiment, even one that was queued before a restart."""
        if claim.id not in self._statuses:
            self._statuses[claim.id] = self._read_status(claim)
        return self._statuses[claim.id]

    @cached_property
    def cached_results(self) -> CachedResults:
        """The finished runs and measurements in the store."""
        return read_cached_results(self.service.scheduler.store)

    def _read_status(self, claim: Claim) -> ClaimStatus:
        if not claim.needs_workers:
            return ClaimStatus(self.service.read(plan_experiment(claim)))
        latest: tuple[ClaimRunner, ClaimProgress] | None = None
        for experiment in self._queued_experiments:
            if experiment.claim is not claim:
                continue
            runner = self.service.runner(experiment)
            progress = runner.progress()
            if progress.is_complete:
                return ClaimStatus(self.service.read(experiment, progress.runs), *(latest or ()))
            latest = latest or (runner, progress)
        return ClaimStatus(recorded_results().get(claim.id), *(latest or ()))

    @cached_property
    def _queued_experiments(self) -> list[Experiment]:
        """The queued experiments, the latest first."""
        experiments = (parse_experiment(name, CLAIMS) for name in queued(self.service.scheduler.store))
        return [experiment for experiment in experiments if experiment is not None]
