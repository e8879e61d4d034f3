"""Reading the store once for all views that are updated together."""

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from bnlab.claims.service import ClaimService, ClaimSnapshot
from bnlab.runs.activity import Activity
from bnlab.runs.curves_cache import CurvesCache
from bnlab.runs.estimates import Place
from bnlab.runs.latencies import last_measured
from bnlab.runs.progress import STALE_SECONDS
from bnlab.runs.run import Run, RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.shares import Shares
from bnlab.runs.store import Store

LATENCIES_SECONDS = 2.0
"""The time between two looks for new latencies, which are rare: they are measured when nothing trains."""
ALL_RUNS_SECONDS = 1.0
ALL_RUNS_PAUSE = 20.0
"""The time between two readings of all runs, and how many times longer than a reading it is: there may be thousands.
Those that are active are read at each update."""
DEFAULT_VERSION, STATES_VERSION = "", "all"
"""Names of versions in a document's `page`: for visitors who have none of their own, and for pages of all states."""
PageVersions = Mapping[str, str]
"""What a document has as `page`: versions of what the page offers, by their names. A page is rendered again when the
one that it was rendered for is another one: see `bnlab.ui.live.follow`."""
CLAIMS_SECONDS = 1.0
"""The time between two readings of the claims, which count the runs and measurements of whole experiments."""


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
        claims: the claims, read when they are first asked for.
    """

    runs: Mapping[str, Run]
    queue: Mapping[str, Place]
    activity: Activity
    problem: str
    store: Store
    curves: CurvesCache
    measured_at: float
    time: float
    claims: Callable[[], ClaimSnapshot]
    shares: Mapping[str, Shares] = field(default_factory=dict)

    def inputs(self, digests: Iterable[str]) -> object:
        """Everything on which a document of these runs depends: equal inputs, equal documents."""
        runs = [self.runs[digest] for digest in digests if digest in self.runs]
        silence = [_silent_seconds(run, self.time) for run in runs]
        queue = [self.queue.get(run.digest) for run in runs]
        activity = [_activity(run, self.activity) for run in runs]
        shares = [self.shares.get(run.digest) for run in runs]
        is_starting = self.activity.starting is not None and any(not run.state.is_finished() for run in runs)
        starting = int(self.activity.starting or 0) if is_starting else None
        return runs, queue, activity, starting, shares, silence, self.problem, self.measured_at


class Reader:
    """Reads the store of the app's scheduler, again and again. One thread at a time."""

    def __init__(self, scheduler: Callable[[], Scheduler], claim_service: Callable[[], ClaimService]) -> None:
        """Both are asked at each reading, and may raise while there is no scheduler."""
        self._scheduler, self._claim_service = scheduler, claim_service
        self._curves: CurvesCache | None = None
        self._runs: dict[str, Run] = {}
        self._measured_at, self._latencies_due = 0.0, 0.0
        self._claims: ClaimSnapshot | None = None
        self._claims_due, self._all_due = 0.0, 0.0

    def read(self, digests: Collection[str], *, every_run: bool = False) -> Reading:
        """The present state of the runs of `digests`, or of every run, of which others may be a second old."""
        scheduler = self._scheduler()
        store = scheduler.store
        self._curves = self._curves or CurvesCache(store)
        found = self._read_every_run(store, digests) if every_run else store.runs(digests)
        self._all_due = self._all_due if every_run else 0.0
        runs = {run.digest: run for run in found}
        # A run that has not changed stays the same object, which makes comparing it quick.
        self._runs = {digest: old if (old := self._runs.get(digest)) == run else run for digest, run in runs.items()}
        is_waiting = any(run.state is RunState.QUEUED for run in runs.values())
        queue = scheduler.places() if is_waiting else {}
        activity = scheduler.activity(self._runs.values())
        active = [run.digest for run in runs.values() if not run.state.is_finished()]
        if time.monotonic() >= self._latencies_due:
            self._measured_at, self._latencies_due = last_measured(store), time.monotonic() + LATENCIES_SECONDS
        return Reading(
            runs=self._runs,
            queue=queue,
            activity=activity,
            problem=scheduler.problem,
            store=store,
            curves=self._curves,
            measured_at=self._measured_at,
            time=time.time(),
            claims=self._read_claims,
            shares=store.shares(active) if active else {},
        )

    def _read_every_run(self, store: Store, digests: Collection[str]) -> Iterable[Run]:
        """All runs; those of `digests` and the active ones as they are now, the others as they were a while ago."""
        active = {digest for digest, run in self._runs.items() if not run.state.is_finished()}
        began = time.monotonic()
        if began < self._all_due:
            present = {run.digest: run for run in store.runs(active | set(digests))}
            known = [self._runs.get(digest) for digest in present]
            states = [run.state if run else None for run in known]
            if active <= present.keys() and states == [run.state for run in present.values()]:
                return (self._runs | present).values()
        runs = store.runs()
        self._all_due = time.monotonic() + max(ALL_RUNS_SECONDS, ALL_RUNS_PAUSE * (time.monotonic() - began))
        return runs

    def _read_claims(self) -> ClaimSnapshot:
        if self._claims is None or time.monotonic() >= self._claims_due:
            self._claims, self._claims_due = self._claim_service().snapshot(), time.monotonic() + CLAIMS_SECONDS
        return self._claims


def page_version(runs: Iterable[Run], problem: str, *more: object, shares: Mapping[str, Shares] | None = None) -> str:
    """A version that changes when a run starts, ends, fails or is to be stopped, not at each step.

    `shares` are those in runs that wait or train, `more` is what else it depends on.
    """
    states = sorted((run.digest, run.state, run.stop_requested, run.error, run.recorded) for run in runs)
    digests = [digest for digest, *_ in states]
    wanted = [sorted(shares[digest].wanted_by) for digest in digests if digest in shares] if shares else []
    return version_of(states, wanted, problem, *more)


def version_of(*parts: object) -> str:
    """A short text for these parts; equal parts, equal texts."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _activity(run: Run, activity: Activity) -> tuple[bool, bool]:
    """Whether a worker trains the run, and whether it has a speed, which itself changes at every reading."""
    return run.digest in activity.training, bool(activity.speeds.get(run.digest))


def _silent_seconds(run: Run, now: float) -> int:
    """Whole seconds without a commit of a run in training, 0 until they are shown."""
    seconds = now - run.updated_at
    return int(seconds) if run.state is RunState.RUNNING and seconds > STALE_SECONDS else 0
