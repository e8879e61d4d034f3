"""The states of a run."""

from enum import StrEnum


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
