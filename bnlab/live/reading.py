"""Reading the store once for all views that are updated together."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bnlab.runs.activity import Activity
from bnlab.runs.curves_cache import CurvesCache
from bnlab.runs.estimates import Place
from bnlab.runs.latencies import last_measured
from bnlab.runs.run import Run, RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.shares import Shares
from bnlab.runs.store import Store


@dataclass(frozen=True)
class Reading:
    """The state of the watched runs at one moment.

    Attributes:
        runs: by digest, those of the watched runs that exist.
        queue: the places of waiting runs, by digest.
        activity: which of them are being trained, and how fast.
        problem: why nothing trains, empty if there is no problem; see `Scheduler`.
        store: where they were read.
        curves: the recorded curves, up to date for `runs`.
        measured_at: when latencies were measured last, 0 if never; in seconds since the epoch.
        time: when it was read, in seconds since the epoch.
        shares: the shares in runs that wait or train, by digest.
    """

    runs: Mapping[str, Run]
    queue: Mapping[str, Place]
    activity: Activity
    problem: str
    store: Store
    curves: CurvesCache
    measured_at: float
    time: float
    shares: Mapping[str, Shares] = field(default_factory=dict)


class Reader:
    """Reads the store of the app's scheduler, again and again. One thread at a time."""

    def __init__(self, scheduler: Callable[[], Scheduler]) -> None:
        """`scheduler` is asked at each reading, and may raise while there is none."""
        self._scheduler = scheduler
        self._curves: CurvesCache | None = None
        self._runs: dict[str, Run] = {}

    def read(self, digests: Iterable[str]) -> Reading:
        """The present state of the runs of `digests`."""
        scheduler = self._scheduler()
        store = scheduler.store
        self._curves = self._curves or CurvesCache(store)
        runs = {run.digest: run for run in store.runs(digests)}
        # A run that has not changed stays the same object, which makes comparing it quick.
        self._runs = {digest: old if (old := self._runs.get(digest)) == run else run for digest, run in runs.items()}
        is_waiting = any(run.state is RunState.QUEUED for run in runs.values())
        queue = scheduler.places() if is_waiting else {}
        activity = scheduler.activity(self._runs.values())
        active = [run.digest for run in runs.values() if not run.state.is_finished()]
        return Reading(
            runs=self._runs,
            queue=queue,
            activity=activity,
            problem=scheduler.problem,
            store=store,
            curves=self._curves,
            measured_at=last_measured(store),
            time=time.time(),
            shares=store.shares(active) if active else {},
        )


def page_version(runs: Iterable[Run], problem: str, shares: Mapping[str, Shares] | None = None) -> str:
    """Identifies what a page offers: it changes when a run starts, ends, fails or is to be stopped, not at each step.

    A page that was rendered for another version is rendered again. `shares` are those in runs that wait or train.
    """
    states = sorted((run.digest, run.state, run.stop_requested, run.error, run.recorded) for run in runs)
    digests = [digest for digest, *_ in states]
    wanted = [sorted(shares[digest].wanted_by) for digest in digests if digest in shares] if shares else []
    return hashlib.sha256(repr((states, wanted, problem)).encode()).hexdigest()[:12]
