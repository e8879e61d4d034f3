"""The scheduler: a background thread that hands runs to the workers, slice by slice, in the order of `scheduling`."""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future as TaskFuture
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from distributed import Client, Future, KilledWorker

from bnlab.runs.activity import Activity, ActivityMeter, trained_elsewhere
from bnlab.runs.cluster import ClusterError, connect, disconnect, is_missing_workers, worker_addresses
from bnlab.runs.errors import ConflictError, StoreError
from bnlab.runs.estimates import Place, StepTimes, places, read_step_times
from bnlab.runs.groups import launch_group
from bnlab.runs.latencies import LatencyRequests
from bnlab.runs.limits import Limits
from bnlab.runs.owners import has_owner_ended, may_share_machine, new_owner
from bnlab.runs.run import Run, RunState
from bnlab.runs.scheduling import SchedulingPolicy, Waiting, read_entries, read_queue, turns
from bnlab.runs.shares import NOBODY
from bnlab.runs.store import LEASE_SECONDS, Labelled, Store
from bnlab.runs.tasks import TaskQueue
from bnlab.runs.worker import train_slice
from bnlab.runs.writer import MissingRunError, SupersededError
from bnlab.specs.run_spec import RunSpec, program_key

STEP_TIMES_SECONDS = 5.0
"""For how long step times are kept that are read from the store."""
IDLE_SECONDS = 1.0
"""The longest time between two polls."""
RETRY_SECONDS = 5.0
"""The pause after an error of the cluster."""
STORE_RETRY_SECONDS = 1.0
"""The pause after an error of the store."""
MAX_DEATHS = 4
"""How many workers in a row may die while they train a run before the run fails."""
MAX_RESTART_SECONDS = 60.0
"""How long Dask may take to replace a killed worker before all workers are restarted."""
RENEW_SECONDS = LEASE_SECONDS / 3
"""The time between two renewals of the leases while workers start."""
MAX_SETBACK_SECONDS = 30.0
"""The longest pause of a run after slices that could not train it."""
TOLD_SETBACKS = 2
"""A slice may be superseded once without a fault, when its run is stopped or removed."""
OTHER_STORE = "The workers do not find the runs in their store: BNLAB_STORE must be a place that all of them reach."
OTHER_SCHEDULER = "Another app trains the same runs: all apps on one store need clocks that agree."

T = TypeVar("T")


@dataclass(frozen=True)
class Setback:
    """Slices of a run that ended without training it: how many in a row, and why, empty if it needs no word."""

    count: int
    sentence: str
    at: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether the run's pause has ended: none after the first, then twice as long each time."""
        pause = min(2.0 ** (self.count - 2), MAX_SETBACK_SECONDS) if self.count > 1 else 0.0
        return time.monotonic() >= self.at + pause


class Scheduler:
    """Trains the runs of one store. All of its state is in the store, so another scheduler can take over.

    Attributes:
        store: the store whose runs are trained.
        owner: the name under which this scheduler holds leases on runs.
        problem: one sentence while the workers or the database are unavailable, and empty otherwise.
    """

    def __init__(
        self,
        store: Store,
        *,
        scheduler: str | None = None,
        workers: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Start the thread, which starts the workers; returns at once.

        Args:
            store: the store whose runs are trained.
            scheduler: the address of a Dask scheduler; a local cluster is started by default.
            workers: the number of local worker processes, one per core by default.
            limits: what may be launched; anything by default.
        """
        self.store = store
        self.owner = new_owner()
        self.problem = ""
        self._address, self._workers, self._limits = scheduler, workers, limits
        self._worker_count = 0
        self._step_times = (0.0, StepTimes())  # until when they are used, in monotonic time
        self._client: Client | None = None
        self._complete_at = 0.0  # monotonic time at which no worker was missing
        self._policy = SchedulingPolicy()
        self._meter = ActivityMeter()
        self._training: dict[str, tuple[str, Future[RunState]]] = {}  # worker -> digest and slice of the run it trains
        self._deaths: dict[str, int] = {}  # digest -> workers that have died in a row
        self._setbacks: dict[str, Setback] = {}  # digest -> slices that ended in a row without training the run
        self._shared: set[str] = set()  # digests of active runs that are recorded as having shared their machine
        self._tasks = TaskQueue()
        self._latencies = LatencyRequests(store)
        self._events: queue.SimpleQueue[str] = queue.SimpleQueue()  # each one ends the wait between two polls
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="bnlab-scheduler", daemon=True)
        self._thread.start()

    def launch(self, spec: RunSpec, label: str, visitor: str = NOBODY) -> Run:
        """Queue `spec` or attach to its run, in which `visitor` gets a share; returns at once.

        Raises:
            bnlab.runs.limits.LimitError: it exceeds a limit; nothing is launched.
        """
        return self.launch_runs([(spec, label)], visitor)[0]

    def launch_runs(self, specs: Labelled, visitor: str = NOBODY) -> list[Run]:
        """Queue specs with their labels, each singly, or attach to their runs; see `launch`."""
        self._check_limits(specs, visitor)
        launched = self.store.launch_runs(specs, self.owner, visitor=visitor)
        self._events.put("launched")
        return launched

    def launch_group(self, name: str, specs: Labelled, visitor: str = NOBODY) -> list[Run]:
        """Queue specs with their labels as one group, behind all single runs; see `launch` and `groups`."""
        self._check_limits(specs, visitor)
        members = launch_group(self.store, name, specs, self.owner, visitor)
        self._events.put("launched")
        return members

    def _check_limits(self, specs: Labelled, visitor: str) -> None:
        if self._limits is not None:
            self._limits.check(self.store, specs, visitor)

    def stop(self, digests: Iterable[str], visitor: str | None = None) -> None:
        """Withdraw the shares of `visitor`, or everybody's, and stop the runs that nobody wants any more.

        Waiting runs are stopped at once, training ones within half a second.
        """
        self.store.request_stop(digests, visitor)
        self._events.put("stop")

    def withdraw(self, digests: Iterable[str], visitor: str | None = None) -> None:
        """Like `stop`, but remove the runs that have not taken a step."""
        self.store.withdraw(digests, visitor)
        self._events.put("stop")

    def queue(self) -> list[str]:
        """The digests of the runs that wait for a worker, the next one first."""
        return read_queue(self.store, self._policy.served)

    def places(self) -> dict[str, Place]:
        """The places in the queue of the QUEUED runs, by digest."""
        training = {digest for digest, _ in list(self._training.values())}
        waiting = {run.digest: run for run in self.store.active_runs() if run.digest not in training}
        entries = read_entries(self.store)
        order = turns({digest: entries.get(digest, Waiting()) for digest in waiting}, self._policy.served)
        return places([turn.run for turn in order], waiting, self.step_times(), self.workers, len(training))

    @property
    def workers(self) -> int:
        """The number of workers at the last poll, 0 while there are none."""
        return self._worker_count

    def step_times(self) -> StepTimes:
        """How long the steps of runs take, as they were measured up to STEP_TIMES_SECONDS ago."""
        until, times = self._step_times
        if time.monotonic() > until:
            times = read_step_times(self.store)
            self._step_times = (time.monotonic() + STEP_TIMES_SECONDS, times)
        return times

    def activity(self, runs: Collection[Run]) -> Activity:
        """Which of `runs` are being trained right now, and how fast. Speeds are known from the second call on."""
        training = {digest for digest, _ in list(self._training.values())}
        return Activity(training | trained_elsewhere(runs, self.owner), self._meter.speeds(runs))

    def submit(self, function: Callable[..., T], *arguments: object) -> TaskFuture[T]:
        """Have any worker call `function(*arguments)` between two slices; returns at once.

        The future can be polled with `done()` and then has `result()` or `exception()`, a TaskError whose text is
        for the user. While there are no workers it waits; when the scheduler is closed it fails. `function` is sent by
        name, so it must belong to a module of bnlab; its module must not import TensorFlow, for the app's sake.
        """
        future = self._tasks.submit(function, *arguments)
        self._events.put("task")
        return future

    def measure_latencies(self, specs: Iterable[RunSpec]) -> bool:
        """Have the prediction latencies of these specs' networks measured as soon as nothing else is done.

        Returns at once: False if all of them are in the store (`bnlab.runs.latencies`), else True.
        """
        return self._latencies.request(specs)

    def close(self) -> None:
        """Release all runs, fail the submitted tasks, end the workers; training goes on at the next start."""
        self._closing.set()
        self._events.put("close")
        self._thread.join(timeout=20)

    def _work(self) -> None:
        with ExitStack() as cleanup:  # each callback is called, the last one first, even where another raises
            cleanup.callback(self._release)
            cleanup.callback(self._tasks.close)
            cleanup.callback(self._disconnect)
            while not self._closing.is_set():
                try:
                    self.problem = self._poll()
                except Exception as error:  # noqa: BLE001 (no error may end the thread)
                    self._pause(error)
                self._wait()

    def _release(self) -> None:
        with suppress(StoreError):  # then the leases expire
            self.store.release(self.owner)

    def _pause(self, error: Exception) -> None:
        """Wait before the next attempt; runs that were being trained go on from their checkpoints."""
        if isinstance(error, StoreError):
            self.problem = str(error)
            self._closing.wait(STORE_RETRY_SECONDS)
            return
        is_known = isinstance(error, ClusterError)
        self.problem = str(error) if is_known else f"The workers are not available ({type(error).__name__})."
        self._disconnect()
        self._closing.wait(RETRY_SECONDS)

    def _wait(self) -> None:
        """Sleep until there is an event, at most IDLE_SECONDS, and clear the events: a poll checks everything."""
        try:
            self._events.get(timeout=IDLE_SECONDS)
            while True:
                self._events.get_nowait()
        except queue.Empty:
            pass

    def _poll(self) -> str:
        """Check everything once: lost runs, finished slices, waiting runs, idle workers.

        Returns:
            One sentence about what keeps runs from being trained; empty if nothing does.
        """
        if self._client is None:
            self._claim()  # before the workers, which take their time to start
            with self._renewing():
                self._client = connect(self._address, self._workers)
            self._complete_at = time.monotonic()
        workers = worker_addresses(self._client, self._address)
        self._worker_count = len(workers)
        self._check_workers(self._client)
        self._collect(workers)
        self._tasks.collect()
        active = self._claim()  # after collecting, because a slice that has ended may have ended its run
        self._enqueue(active)
        self._tasks.assign(self._client, lambda _future: self._events.put("task"))
        self._assign(self._client, workers)
        self._record_sharing(active)
        self._latencies.update(
            self._client,
            lambda: not (active or self._training or self._tasks.is_busy or self.store.leaseholders()),
            lambda _future: self._events.put("latencies"),
        )
        return self._problem_of(active, workers)

    def _problem_of(self, active: Sequence[Run], workers: Sequence[str]) -> str:
        if active and not workers and self._address is not None:
            waiting = "1 run waits" if len(active) == 1 else f"{len(active)} runs wait"
            return f"No workers are connected to the Dask scheduler at BNLAB_SCHEDULER={self._address}; {waiting}."
        return next((setback.sentence for setback in self._setbacks.values() if setback.sentence), "")

    @contextmanager
    def _renewing(self) -> Iterator[None]:
        """Renew the leases meanwhile, in another thread: workers may take longer to start than leases last."""
        is_over = threading.Event()

        def renew() -> None:
            while not is_over.wait(RENEW_SECONDS):
                with suppress(StoreError):
                    self.store.renew(self.owner)

        thread = threading.Thread(target=renew, name="bnlab-leases", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _claim(self) -> list[Run]:
        return self.store.claim(self.owner, [owner for owner in self.store.owners() if has_owner_ended(owner)])

    def _check_workers(self, client: Client) -> None:
        """Raise a ClusterError, so that all workers are restarted, if a killed one has not come back.

        Dask restarts a worker that is killed, but gives up on one that is killed while it starts.
        """
        if not is_missing_workers(client):
            self._complete_at = time.monotonic()
        elif time.monotonic() - self._complete_at > MAX_RESTART_SECONDS:
            raise ClusterError("A worker process did not come back; the workers are being restarted.")

    def _collect(self, workers: list[str]) -> None:
        """Process the slices that have ended or lost their worker."""
        for worker, (digest, future) in list(self._training.items()):
            if future.done():
                del self._training[worker]
                self._on_slice_end(digest, future)
            elif worker not in workers:  # Dask waits for this address, but a restarted worker has another one
                del self._training[worker]
                future.cancel()
                self._on_worker_death(digest)

    def _on_slice_end(self, digest: str, future: Future[RunState]) -> None:
        error = future.exception() if future.status == "error" else None
        if error is None:
            self._deaths.pop(digest, None)
            self._setbacks.pop(digest, None)
        elif isinstance(error, KilledWorker):
            self._on_worker_death(digest)
        elif isinstance(error, StoreError | SupersededError) and not self._conflicts_again(digest, error):
            setbacks = self._setbacks[digest].count + 1 if digest in self._setbacks else 1
            self._setbacks[digest] = Setback(setbacks, _setback_text(error, setbacks))
        else:
            self._setbacks.pop(digest, None)
            self.store.finish(digest, self.owner, RunState.FAILED, _error_text(error))

    def _conflicts_again(self, digest: str, error: BaseException) -> bool:
        """Whether the run's records contradict each other, so that trying again is in vain."""
        setback = self._setbacks.get(digest)
        return isinstance(error, ConflictError) and setback is not None and setback.count >= MAX_DEATHS

    def _on_worker_death(self, digest: str) -> None:
        """Let the run wait for another worker, or fail it after MAX_DEATHS."""
        self._deaths[digest] = self._deaths.get(digest, 0) + 1
        if self._deaths[digest] >= MAX_DEATHS:
            self._deaths.pop(digest)
            error = f"The worker process died {MAX_DEATHS} times in a row on this run; it may need more memory."
            self.store.finish(digest, self.owner, RunState.FAILED, error)

    def _enqueue(self, active: Iterable[Run]) -> None:
        """Make the queue hold the active runs that are neither being trained, nor to be stopped, nor to pause."""
        training = {digest for digest, _ in self._training.values()}
        entries = read_entries(self.store)
        active_digests = set()
        for run in active:
            active_digests.add(run.digest)
            if run.digest in training:
                continue
            if run.stop_requested:
                self._policy.remove(run.digest)
                self.store.finish(run.digest, self.owner, RunState.STOPPED)
            elif run.digest not in self._setbacks or self._setbacks[run.digest].is_over:
                self._policy.add(run.digest, program_key(run.spec), entries.get(run.digest, Waiting()))
        for digest in self._policy.waiting:
            if digest not in active_digests:
                self._policy.remove(digest)
        self._setbacks = {digest: setback for digest, setback in self._setbacks.items() if digest in active_digests}

    def _assign(self, client: Client, workers: list[str]) -> None:
        """Give each idle worker a slice of a waiting run."""
        for worker in workers:
            digest = None if worker in self._training else self._policy.take(worker, workers)
            fence = None if digest is None else self.store.next_fence(digest, self.owner)
            if digest is None or fence is None:
                continue
            future = client.submit(
                train_slice,
                self.store.url,
                digest,
                fence,
                key=f"{digest}-{fence}",
                workers=[worker],
                pure=False,
            )
            self._training[worker] = digest, future
            future.add_done_callback(lambda _future: self._events.put("slice"))

    def _record_sharing(self, active: Iterable[Run]) -> None:
        """Record which runs are trained on a machine that does other work of bnlab at the same time."""
        unfinished = {run.digest for run in active}  # others may have ended whose slices have not returned
        self._shared &= unfinished
        training: defaultdict[str, set[str]] = defaultdict(set)  # machine -> digests
        for worker, (digest, future) in self._training.items():
            if not future.done():
                training[worker.rpartition(":")[0]].add(digest)
        alone = {digest for digests in training.values() if len(digests) == 1 for digest in digests}
        sharing = {digest for digests in training.values() for digest in digests} & unfinished
        if alone - self._shared and not (self._tasks.is_busy or self._others_train()):
            sharing -= alone
        if not sharing <= self._shared:
            self.store.mark_shared(sharing)
            self._shared |= sharing

    def _others_train(self) -> bool:
        """Whether another scheduler trains runs of the store, perhaps on this machine."""
        others = self.store.leaseholders() - {self.owner}
        return any(may_share_machine(self.owner, other) for other in others)

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        self._training.clear()
        self._latencies.forget_running()
        self._tasks.requeue_running()
        if client is not None:
            disconnect(client)


def _setback_text(error: BaseException, setbacks: int) -> str:
    if isinstance(error, StoreError):
        return str(error)
    if setbacks < TOLD_SETBACKS:
        return ""
    return OTHER_STORE if isinstance(error, MissingRunError) else OTHER_SCHEDULER


def _error_text(error: BaseException) -> str:
    """One sentence for the user: bnlab's errors carry it, others are named."""
    module = type(error).__module__
    return str(error) if module.startswith("bnlab.") else f"Training failed with {type(error).__name__}: {error}"
