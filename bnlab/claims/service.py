"""The claims as all sessions of the app share them: which verdict each has, and which experiments are running."""

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
    """A claim's latest trial and, while another experiment is queued for it, its runner and progress."""

    trial: ExperimentResult | None
    runner: ClaimRunner | None = None
    progress: ClaimProgress | None = None

    @property
    def is_running(self) -> bool:
        """Whether the status will change without anybody's doing."""
        return self.progress is not None and not self.progress.has_failed

    @property
    def is_measured_here(self) -> bool:
        """Whether the trial was measured here, and is not a recorded one."""
        return self.trial is not None and not self.trial.origin


class ClaimService:
    """Shared by all sessions. Keeps one runner per experiment, and each trial until its runs have changed."""

    def __init__(self, lab: Scheduler) -> None:
        """Experiments are run by `lab`."""
        self.lab = lab
        self._lock = threading.Lock()
        self._runners: dict[str, ClaimRunner] = {}
        self._trials: dict[str, tuple[object, ExperimentResult]] = {}

    def snapshot(self) -> "ClaimSnapshot":
        """The claims as they are now."""
        return ClaimSnapshot(self)

    def runner(self, experiment: Experiment) -> ClaimRunner:
        """The only runner of an experiment."""
        with self._lock:
            return self._runners.setdefault(experiment.name, ClaimRunner(self.lab, experiment))

    def read(self, experiment: Experiment, runs: Sequence[Run] = ()) -> ExperimentResult:
        """The trial of a complete experiment; it has trained `runs`."""
        version = tuple(run.updated_at for run in runs)
        cached = self._trials.get(experiment.name)
        if cached is None or cached[0] != version:
            cached = self._trials[experiment.name] = (version, read_result(self.lab.store, experiment))
        return cached[1]


class ClaimSnapshot:
    """The claims at one moment: everything is read from the store at most once, when it is first needed."""

    def __init__(self, service: ClaimService) -> None:
        """To be made by `ClaimService.snapshot`."""
        self.service = service
        self._statuses: dict[str, ClaimStatus] = {}

    def status(self, claim: Claim) -> ClaimStatus:
        """The status of `claim`. Continues a queued experiment, even one that was queued before a restart."""
        if claim.id not in self._statuses:
            self._statuses[claim.id] = self._read_status(claim)
        return self._statuses[claim.id]

    @cached_property
    def cached_results(self) -> CachedResults:
        """What was trained and measured here."""
        return read_cached_results(self.service.lab.store)

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
        """The latest first."""
        experiments = (parse_experiment(name, CLAIMS) for name in queued(self.service.lab.store))
        return [experiment for experiment in experiments if experiment is not None]
