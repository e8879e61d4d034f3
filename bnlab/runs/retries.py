"""Retries: after a worker fails to train a run it is tried again, soon or after a pause, until it counts as failed."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from bnlab.runs.errors import ConflictError, DamagedError, StoreError
from bnlab.runs.writer import MissingRunError, SupersededError

MAX_DEATHS = 4
"""How many workers in a row may die while they train a run before the run fails."""
MAX_PAUSE_SECONDS = 30.0
"""The longest pause of a run after slices that could not train it."""
REPORTED_FAILURES = 2
"""A slice may be superseded once without a fault, when its run is stopped or removed."""
OTHER_STORE = "The workers do not find the runs in their store: BNLAB_STORE must be a place that all of them reach."
OTHER_SCHEDULER = "Another app trains the same runs: all apps on one store need clocks that agree."
DEATHS = f"The worker process died {MAX_DEATHS} times in a row on this run; it may need more memory."


@dataclass(frozen=True)
class FailedSlices:
    """Slices of a run that ended without training it: how many in a row, and why, empty if it needs no word."""

    count: int
    sentence: str
    at: float = field(default_factory=time.monotonic)

    @property
    def pause_is_over(self) -> bool:
        """Whether the run's pause has ended: none after the first, then twice as long each time."""
        pause = min(2.0 ** (self.count - 2), MAX_PAUSE_SECONDS) if self.count > 1 else 0.0
        return time.monotonic() >= self.at + pause


class Retries:
    """The slices in a row that failed, of each run: when it is tried again, and whether it fails."""

    def __init__(self) -> None:
        self._failed: dict[str, FailedSlices] = {}
        self._deaths: dict[str, int] = {}  # workers that have died in a row

    def clear(self, digest: str) -> None:
        """Forget those of a run, after a slice that trained it."""
        self._failed.pop(digest, None)
        self._deaths.pop(digest, None)

    def record_error(self, digest: str, error: BaseException) -> str:
        """Record that a slice has raised `error`. Returns a sentence if the run fails, empty if it is tried again."""
        is_passing = isinstance(error, StoreError | SupersededError) and not isinstance(error, DamagedError)
        if is_passing and not self._conflicts_again(digest, error):
            count = self._failed[digest].count + 1 if digest in self._failed else 1
            self._failed[digest] = FailedSlices(count, _failure_text(error, count))
            return ""
        self._failed.pop(digest, None)
        return _error_text(error)

    def record_death(self, digest: str) -> str:
        """Record that a worker died while it trained the run; returns the same as `record_error`."""
        self._deaths[digest] = self._deaths.get(digest, 0) + 1
        if self._deaths[digest] < MAX_DEATHS:
            return ""
        del self._deaths[digest]
        return DEATHS

    def must_pause(self, digest: str) -> bool:
        """Whether the run's pause has not ended yet."""
        return digest in self._failed and not self._failed[digest].pause_is_over

    def keep(self, digests: Collection[str]) -> None:
        """Forget those of all runs but these."""
        self._failed = {digest: failed for digest, failed in self._failed.items() if digest in digests}

    @property
    def sentence(self) -> str:
        """Why a run pauses, empty if none does or if it needs no word."""
        return next((failed.sentence for failed in self._failed.values() if failed.sentence), "")

    def _conflicts_again(self, digest: str, error: BaseException) -> bool:
        """Whether the run's records contradict each other, so that trying again is in vain."""
        failed = self._failed.get(digest)
        return isinstance(error, ConflictError) and failed is not None and failed.count >= MAX_DEATHS


def _failure_text(error: BaseException, count: int) -> str:
    if isinstance(error, StoreError):
        return str(error)
    if count < REPORTED_FAILURES:
        return ""
    return OTHER_STORE if isinstance(error, MissingRunError) else OTHER_SCHEDULER


def _error_text(error: BaseException) -> str:
    """One sentence for the user: bnlab's errors carry it, others are named."""
    module = type(error).__module__
    return str(error) if module.startswith("bnlab.") else f"Training failed with {type(error).__name__}: {error}"
