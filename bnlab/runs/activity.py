"""What workers do right now: which runs they train, and how fast, measured over the last seconds.

A run stays RUNNING while it waits for its next slice, and its seconds are those spent in steps. So neither its state
nor its mean speed says what is going on when many runs take turns on few workers.
"""

import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from cachetools import LRUCache

from bnlab.runs.run import Run, RunState

WINDOW_SECONDS = 5.0
"""The time over which speeds are measured."""
MIN_WINDOW_SECONDS = 0.3
"""The time after the first commit that was seen from which on a speed is known."""
RECENT_SECONDS = 2.0
"""How long after a commit another scheduler's run counts as being trained."""
MAX_RUNS = 4_096


@dataclass(frozen=True)
class Activity:
    """What workers do at a moment.

    Attributes:
        training: the digests of the runs that a worker is training.
        speeds: images per second of each run over the last WINDOW_SECONDS, which add up to the speed of all workers;
            runs whose speed is not known are missing.
        starting: for how many seconds local workers have been starting, which is the import of TensorFlow; None if
            they are not.
    """

    training: Collection[str] = ()
    speeds: Mapping[str, float] = field(default_factory=dict)
    starting: float | None = None


class ActivityMeter:
    """Measures the speed of runs from the steps of their commits. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commits: LRUCache[str, deque[tuple[float, int]]] = LRUCache(MAX_RUNS)

    def speeds(self, runs: Iterable[Run], now: float | None = None) -> dict[str, float]:
        """Images per second by digest, for runs of which at least two commits were seen; 0 where there was none lately.

        `now` is in seconds since the epoch, by default the current time.
        """
        now = time.time() if now is None else now
        with self._lock:
            speeds = {run.digest: self._speed(run, now) for run in runs if run.state is RunState.RUNNING}
        return {digest: speed for digest, speed in speeds.items() if speed is not None}

    def _speed(self, run: Run, now: float) -> float | None:
        commits = self._commits.setdefault(run.digest, deque())
        if commits and commits[-1][1] > run.step:  # it was deleted and launched again
            commits.clear()
        if not commits or commits[-1][1] < run.step:
            commits.append((run.updated_at, run.step))
        while len(commits) > 2 and commits[1][0] <= now - WINDOW_SECONDS:
            commits.popleft()
        # Now the first commit is the last before the window, or the first that was seen.
        first_at, first_step = commits[0]
        seconds = min(now - first_at, WINDOW_SECONDS)
        if len(commits) < 2 or seconds < MIN_WINDOW_SECONDS:
            return None
        last_at, last_step = commits[-1]
        if last_at <= now - WINDOW_SECONDS:
            return 0.0
        return (last_step - first_step) * run.spec.batch_size / seconds


def trained_elsewhere(runs: Iterable[Run], owner: str, now: float | None = None) -> set[str]:
    """The digests of those RUNNING runs that another scheduler than `owner` holds and that have just made a commit."""
    now = time.time() if now is None else now
    return {
        run.digest
        for run in runs
        if run.state is RunState.RUNNING and run.owner != owner and now - run.updated_at < RECENT_SECONDS
    }
