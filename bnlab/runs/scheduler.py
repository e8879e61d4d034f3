"""The scheduler: a background thread that hands runs to the workers, slice by slice, in the order of `scheduling`."""

import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future as TaskFuture
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar

from distributed import Client, Future, KilledWorker

from bnlab.runs.activity import Activity, ActivityMeter, trained_elsewhere
from bnlab.runs.admission import Admission
from bnlab.runs.cluster import ClusterError, connect, disconnect, is_missing_workers, kill_worker, worker_addresses
from bnlab.runs.errors import StoreError
from bnlab.runs.estimates import Place, StepTimeEstimates, places, read_step_times
from bnlab.runs.groups import launch_group
from bnlab.runs.latencies import LatencyRequests
from bnlab.runs.limits import Limits
from bnlab.runs.logs import log_event
from bnlab.runs.owners import has_owner_ended, may_share_machine, new_owner
from bnlab.runs.retries import Retries
from bnlab.runs.run import Run, RunState
from bnlab.runs.scheduling import SchedulingPolicy, Waiting, read_entries, read_queue, turns
from bnlab.runs.shares import NO_VISITOR
from bnlab.runs.store import LEASE_SECONDS, Labelled, Store
from bnlab.runs.tasks import TaskQueue
from bnlab.runs.worker import train_slice
from bnlab.specs.run_spec import RunSpec, program_key

STEP_TIMES_SECONDS = 5.0
"""For how long step times are kept that are read from the store."""
IDLE_SECONDS = 1.0
"""The longest time between two polls."""
RETRY_SECONDS = 5.0
"""The pause after an error of the cluster."""
STORE_RETRY_SECONDS = 1.0
"""The pause after an error of the store."""
MAX_RESTART_SECONDS = 60.0
"""How long Dask may take to replace a killed worker before all workers are restarted."""
RENEW_SECONDS = LEASE_SECONDS / 3
"""The time between two renewals of the leases while workers start."""
WORKERLESS_SECONDS = 10.0
"""How long an external scheduler may be without workers before pages say so: one that is killed is soon replaced."""
STOP_SECONDS = 5.0
"""How long a worker may take to see that its run is to stop, before it is killed."""
CLOSE_SECONDS = 20.0
"""How long closing waits for the thread, which may be starting workers."""

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Scheduler:
    """Trains the runs of one store. All of its state is in the store, so another scheduler can take over.

    Attributes:
        store: the store whose runs are trained.
        owner: the name under which this scheduler holds leases on runs.
        problem: one sentence while the workers or the database are unavailable, and empty otherwise.
        unreachable: one sentence while the workers' cluster cannot be reached, empty otherwise and while it is started.
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
        self.unreachable = ""
        self._address, self._workers, self._limits = scheduler, workers, limits
        self._worker_count = 0
        self._starting_since = time.monotonic()
        self._step_times = (0.0, StepTimeEstimates())  # until when they are used, in monotonic time
        self._client: Client | None = None
        self._complete_at = 0.0  # monotonic time at which no worker was missing
        self._last_worker_at = 0.0  # monotonic time at which a worker was connected, or else the scheduler was found
        self._policy = SchedulingPolicy()
        self._meter = ActivityMeter()
        self._admission = Admission(store, self.owner)
        self._known_active: set[str] = set()  # digests at the last poll
        self._training: dict[str, tuple[str, Future[RunState]]] = {}  # worker -> digest and slice of the run it trains
        self._stopping: dict[str, float] = {}  # digest -> monotonic time when its stop was first seen
        self._retries = Retries()
        self._shared: set[str] = set()  # digests of active runs that are recorded as having shared their machine
        self._tasks = TaskQueue()
        self._latencies = LatencyRequests(store)
        self._events: queue.SimpleQueue[str] = queue.SimpleQueue()  # each one ends the wait between two polls
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="bnlab-scheduler", daemon=True)
        self._thread.start()

    def launch(self, spec: RunSpec, label: str, visitor: str = NO_VISITOR) -> Run:
        """Queue `spec` or attach to its run, in which `visitor` gets a share; returns at once.

        Raises:
            bnlab.runs.limits.LimitError: it exceeds a limit; nothing is launched.
        """
        return self.launch_runs([(spec, label)], visitor)[0]

    def launch_runs(self, specs: Labelled, visitor: str = NO_VISITOR) -> list[Run]:
        """Queue specs with their labels, each singly, or attach to their runs; see `launch`."""
        self._check_limits(specs, visitor)
        launched = self.store.launch_runs(specs, self.owner, visitor=visitor)
        log_event(logger, logging.INFO, "runs launched", runs=len(launched))
        self._events.put("launched")
        return launched

    def launch_group(self, name: str, specs: Labelled, visitor: str = NO_VISITOR) -> list[Run]:
        """Queue specs with their labels as one group, behind all single runs; see `launch` and `groups`."""
        self._check_limits(specs, visitor)
        members = launch_group(self.store, name, specs, self.owner, visitor)
        log_event(logger, logging.INFO, "runs launched", runs=len(members), group=name)
        self._events.put("launched")
        return members

    def _check_limits(self, specs: Labelled, visitor: str) -> None:
        if self._limits is not None:
            self._limits.check(self.store, specs, visitor)

    def stop(self, digests: Iterable[str], visitor: str | None = None) -> None:
        """Withdraw the shares of `visitor`, or all shares, and stop the runs that have none left.

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
        """The number of workers at the last poll that may train, 0 while there are none."""
        return self._worker_count

    def step_times(self) -> StepTimeEstimates:
        """How long the steps of runs take, as they were measured up to STEP_TIMES_SECONDS ago."""
        until, times = self._step_times
        if time.monotonic() > until:
            times = read_step_times(self.store)
            self._step_times = (time.monotonic() + STEP_TIMES_SECONDS, times)
        return times

    def activity(self, runs: Collection[Run]) -> Activity:
        """Which of `runs` are being trained right now, and how fast. Speeds are known from the second call on."""
        training = {digest for digest, _ in list(self._training.values())}
        return Activity(training | trained_elsewhere(runs, self.owner), self._meter.speeds(runs), self._starting())

    def _starting(self) -> float | None:
        """For how many seconds local workers have been starting; None if they are not."""
        is_starting = self._address is None and self._client is None and not self.problem
        return time.monotonic() - self._starting_since if is_starting else None

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

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Release all runs, fail the submitted tasks, end the workers; training goes on at the next start.

        If that takes longer than `seconds`, because workers are being started, only the runs are released.
        """
        self._closing.set()
        self._events.put("close")
        self._thread.join(timeout=seconds)
        if self._thread.is_alive():
            self.release()

    def _work(self) -> None:
        with ExitStack() as cleanup:  # each callback is called, the last one first, even where another raises
            cleanup.callback(self.release)
            cleanup.callback(self._tasks.close)
            cleanup.callback(self._disconnect)
            cleanup.callback(self._admission.close)
            while not self._closing.is_set():
                try:
                    self._set_problem(self._poll())
                except Exception as error:  # noqa: BLE001 (no error may end the thread)
                    self._pause(error)
                self._wait()

    def release(self) -> None:
        """Let another scheduler take over the runs at once."""
        with suppress(StoreError):  # then the leases expire
            self.store.release(self.owner)

    def _pause(self, error: Exception) -> None:
        """Wait before the next attempt; runs that were being trained go on from their checkpoints."""
        if isinstance(error, StoreError):
            self._set_problem(str(error))
            self._closing.wait(STORE_RETRY_SECONDS)
            return
        is_known = isinstance(error, ClusterError)
        self.unreachable = str(error) if is_known else f"The workers are not available ({type(error).__name__})."
        if not is_known:
            logger.debug("unexpected error", exc_info=error)
        self._set_problem(self.unreachable)
        self._disconnect()
        self._closing.wait(RETRY_SECONDS)

    def _set_problem(self, problem: str) -> None:
        if problem and problem != self.problem:
            log_event(logger, logging.WARNING, "problem", reason=problem)
        elif self.problem and not problem:
            log_event(logger, logging.INFO, "problem solved", reason=self.problem)
        self.problem = problem

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
            self._acquire()  # before the workers, which take their time to start
            with self._renewing():
                self._client = connect(self._address, self._workers, self.store.secret_url)
            self._complete_at = self._last_worker_at = time.monotonic()
            self.unreachable = ""
            log_event(logger, logging.INFO, "connected", scheduler=self._address or "local")
        connected = worker_addresses(self._client, self._address)
        if connected:
            self._last_worker_at = time.monotonic()
        workers = self._admission.admit(self._client, connected, lambda _future: self._events.put("worker"))
        if len(workers) != self._worker_count:
            log_event(logger, logging.INFO, "workers", number=len(workers), connected=len(connected))
        self._worker_count = len(workers)
        self._check_workers(self._client)
        self._collect(workers)
        self._tasks.collect(connected)
        active = self._acquire()  # after collecting, because a slice that has ended may have ended its run
        workers = self._kill_unresponsive(self._client, workers, active)
        self._log_ended(active)
        self._enqueue(active)
        allowed = None if not self._admission.refusals else workers
        self._tasks.assign(self._client, lambda _future: self._events.put("task"), allowed)
        self._assign(self._client, workers)
        self._record_sharing(active)
        self._latencies.update(
            self._client,
            lambda: not (active or self._training or self._tasks.is_busy or self.store.leaseholders()),
            lambda _future: self._events.put("latencies"),
            allowed,
        )
        return self._problem_of(active)

    def _kill_unresponsive(self, client: Client, workers: Sequence[str], active: Iterable[Run]) -> list[str]:
        """Kill the workers that have not seen for STOP_SECONDS that their run is to stop; returns the others.

        Such a run stops with its last checkpoint.
        """
        now, before = time.monotonic(), self._stopping
        self._stopping = {run.digest: before.get(run.digest, now) for run in active if run.stop_requested}
        killed = set()
        for worker, (digest, future) in list(self._training.items()):
            if now - self._stopping.get(digest, now) >= STOP_SECONDS and not future.done():
                log_event(logger, logging.WARNING, "worker killed", run=digest, reason="it does not stop")
                self.store.finish(digest, self.owner, RunState.STOPPED)
                del self._training[worker]
                future.cancel()
                kill_worker(client, worker)
                killed.add(worker)
        return [worker for worker in workers if worker not in killed]

    def _log_ended(self, active: Iterable[Run]) -> None:
        """Log the runs that have ended since the last poll."""
        before, self._known_active = self._known_active, {run.digest for run in active}
        if ended := before - self._known_active:
            for run in self.store.runs(ended):
                level = logging.WARNING if run.state is RunState.FAILED else logging.INFO
                error = {"error": run.error} if run.error else {}
                log_event(logger, level, "run ended", run=run.digest, state=run.state.lower(), step=run.step, **error)

    def _problem_of(self, active: Sequence[Run]) -> str:
        """The most important one of those that `_poll` has found."""
        if refusals := self._admission.refusals:
            others = f" The same goes for {len(refusals) - 1} more." if len(refusals) > 1 else ""
            return f"{refusals[0]}{others}"
        is_workerless = time.monotonic() - self._last_worker_at > WORKERLESS_SECONDS
        if active and is_workerless and self._address is not None:
            waiting = "1 run waits" if len(active) == 1 else f"{len(active)} runs wait"
            return f"No workers are connected to the Dask scheduler at BNLAB_SCHEDULER={self._address}; {waiting}."
        return self._retries.sentence

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

    def _acquire(self) -> list[Run]:
        return self.store.acquire(self.owner, [owner for owner in self.store.owners() if has_owner_ended(owner)])

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
            self._retries.clear(digest)
        elif isinstance(error, KilledWorker):
            self._on_worker_death(digest)
        else:
            self._fail_if(self._retries.record_error(digest, error), digest)

    def _on_worker_death(self, digest: str) -> None:
        log_event(logger, logging.WARNING, "worker died", run=digest)
        self._fail_if(self._retries.record_death(digest), digest)

    def _fail_if(self, error: str, digest: str) -> None:
        if error:
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
            elif not self._retries.must_pause(run.digest):
                self._policy.add(run.digest, program_key(run.spec), entries.get(run.digest, Waiting()))
        for digest in self._policy.waiting:
            if digest not in active_digests:
                self._policy.remove(digest)
        self._retries.keep(active_digests)

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
        self._admission.forget()
        self._worker_count, self._starting_since = 0, time.monotonic()
        self._latencies.forget_running()
        self._tasks.requeue_running()
        if client is not None:
            disconnect(client)
