"""A run and its state, as the store knows it."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import Row

from bnlab.specs.run_spec import RunSpec


class RunState(StrEnum):
    """A run waits (QUEUED), trains (RUNNING), or has ended in one of four ways."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"
    FAILED = "FAILED"
    DIVERGED = "DIVERGED"

    def is_finished(self) -> bool:
        """Whether nothing more happens to the run until somebody launches it again."""
        return self not in ACTIVE

    def can_continue(self) -> bool:
        """Whether launching it again trains on from its checkpoint."""
        return self in (RunState.STOPPED, RunState.FAILED)


ACTIVE = (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True)
class Run:
    """One training of one spec: its state and position; times are seconds since the epoch.

    `seconds` is the time spent in steps, `updated_at` the moment of the last commit, `recorded` when and where a run
    that came with bnlab was trained (empty for those trained here).
    """

    digest: str
    label: str
    spec: RunSpec
    state: RunState
    step: int
    total_steps: int
    seconds: float
    created_at: float
    queued_at: float
    updated_at: float
    error: str
    stop_requested: bool
    owner: str
    lease_until: float
    recorded: str = ""

    @property
    def is_current(self) -> bool:
        """Whether this version of bnlab trains `spec` as this run; launching the spec makes another run if not."""
        return self.digest == self.spec.digest

    @property
    def can_launch(self) -> bool:
        """Whether launching it would train: it was stopped, has failed, or was not trained here."""
        return bool(self.recorded) or self.state.can_continue()

    @property
    def progress(self) -> float:
        """The fraction of its steps that are taken."""
        return self.step / self.total_steps

    @property
    def seconds_left(self) -> float | None:
        """An estimate of the training time left, None before the first steps."""
        return (self.total_steps - self.step) * self.seconds / self.step if self.step else None

    @property
    def watched(self) -> bool:
        """Whether a lab has lately said that it looks after this run."""
        return bool(self.owner) and self.lease_until > time.time()


def are_active(runs: Iterable[Run]) -> bool:
    """Whether any of `runs` waits or trains: there is something to watch."""
    return any(not run.state.is_finished() for run in runs)


def run_of(row: Row[tuple[object, ...]]) -> Run:
    """The Run of a row of the runs table with its recording's origin, if it has one."""
    values = row._asdict()
    values["spec"] = _spec(values["spec"])
    values["state"] = RunState(values["state"])
    values.pop("fence")
    values["recorded"] = values.pop("origin") or ""
    return Run(**values)


@lru_cache(maxsize=4096)  # a page reads the same ones at every tick
def _spec(text: str) -> RunSpec:
    return RunSpec.model_validate_json(text)
