"""A run and its state, as they are stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import Row

from bnlab.runs.annotations import split_tags
from bnlab.specs.run_spec import RunSpec


class RunState(StrEnum):
    """The state of a run: waiting (QUEUED), training (RUNNING), or finished in one of four ways."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"
    FAILED = "FAILED"
    DIVERGED = "DIVERGED"

    def is_finished(self) -> bool:
        """Whether the run is neither waiting nor training."""
        return self not in ACTIVE

    def can_continue(self) -> bool:
        """Whether launching the run again continues from its checkpoint."""
        return self in (RunState.STOPPED, RunState.FAILED)


MEASURED_STEPS, MEASURED_SECONDS = 100, 5.0
"""A run's mean step time is known after so many steps or seconds: its first steps take many times longer."""
ACTIVE = (RunState.QUEUED, RunState.RUNNING)
TRAINED = (RunState.COMPLETED, RunState.DIVERGED)
"""The states in which a run has been trained to its end."""


@dataclass(frozen=True)
class Run:
    """One training of one spec.

    Attributes:
        digest: identifies the run, and is its spec's digest unless an older version of bnlab began it.
        label: its name on pages.
        spec: what is trained.
        state: see RunState.
        step: the number of optimizer steps taken.
        total_steps: the number of steps of the whole training.
        seconds: the time spent in steps.
        created_at: the time of the first launch, in seconds since the epoch, as the following times.
        queued_at: the time of the latest launch.
        updated_at: the time of the last commit.
        error: why the run has failed, empty otherwise.
        stop_requested: whether the run is to be stopped.
        owner: the scheduler that holds the lease, empty if none does.
        lease_until: the end of the lease.
        recorded: date and machine of a run that was shipped with bnlab, empty for others.
        shared: whether bnlab did other work on its machine during any of its training, so that its seconds may be
            more than it takes alone; None if that is not known.
        note: what was written about it, plain text.
        tags: the tags it was given.
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
    shared: bool | None = None
    note: str = ""
    tags: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether this version of bnlab trains `spec` as this run; otherwise launching the spec makes another run."""
        return self.digest == self.spec.digest

    @property
    def can_launch(self) -> bool:
        """Whether launching the run would train it: it was stopped, has failed, or was shipped with bnlab."""
        return bool(self.recorded) or self.state.can_continue()

    @property
    def progress(self) -> float:
        """The fraction of the steps that are taken."""
        return self.step / self.total_steps

    @property
    def is_speed_known(self) -> bool:
        """Whether the run has been trained for long enough, or to its end, to tell how long its steps take."""
        is_long = self.step >= min(MEASURED_STEPS, self.total_steps) or self.seconds >= MEASURED_SECONDS
        return self.step > 0 and is_long

    @property
    def seconds_left(self) -> float | None:
        """An estimate of the remaining training time, None before the run's speed is known."""
        return (self.total_steps - self.step) * self.seconds / self.step if self.is_speed_known else None


def are_active(runs: Iterable[Run]) -> bool:
    """Whether any of `runs` is waiting or training."""
    return any(not run.state.is_finished() for run in runs)


@dataclass(frozen=True)
class UnreadableRun:
    """A run with a field, a dataset or a state that this version of bnlab does not know, as another one wrote it."""

    digest: str
    label: str
    state: str
    created_at: float
    recorded: str = ""


def unreadable_text(unreadable: Sequence[UnreadableRun]) -> str:
    """A sentence for who needs these runs, of which there is at least one."""
    label, others = unreadable[0].label, len(unreadable) - 1
    more = f" and {others} more" if others else ""
    runs = f"runs “{label}”{more} were" if others else f"run “{label}” was"
    return (
        f"The {runs} written by another version of bnlab, or with a dataset that is no longer there: delete "
        f"{'them' if others else 'it'} on the Runs page, then try again."
    )


def is_readable_spec(text: str) -> bool:
    """Whether this version of bnlab can read a stored spec."""
    try:
        _parse_spec(text)
    except ValueError:  # pydantic's ValidationError is one
        return False
    return True


def runs_from_rows(rows: Iterable[Row[tuple[object, ...]]]) -> list[Run]:
    """The runs of rows of the runs table joined with the recordings table, without those that are not readable."""
    return [run for run in map(_run_from_row, rows) if run is not None]


def unreadable_from_rows(rows: Iterable[Row[tuple[object, ...]]]) -> list[UnreadableRun]:
    """The runs of such rows that are not readable."""
    return [
        UnreadableRun(str(row.digest), str(row.label), str(row.state), float(row.created_at), row.origin or "")
        for row in rows
        if _run_from_row(row) is None
    ]


def _run_from_row(row: Row[tuple[object, ...]]) -> Run | None:
    values = row._asdict()
    try:
        values["spec"] = _parse_spec(values["spec"])
        values["state"] = RunState(values["state"])
    except ValueError:  # pydantic's ValidationError is one
        return None
    values.pop("fence")
    values["recorded"] = values.pop("origin") or ""
    values["tags"] = split_tags(values["tags"])
    return Run(**values)


@lru_cache(maxsize=32768)  # pages read the same specs at every update, and the Runs page those of all runs
def _parse_spec(text: str) -> RunSpec:
    return RunSpec.model_validate_json(text)
