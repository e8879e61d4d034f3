"""The scheduler: a background thread that hands runs to the workers, slice by slice."""

import os
import queue
import socket
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Future as TaskFuture
from contextlib import ExitStack
from itertools import zip_longest
from typing import TypeVar

import psutil
from distributed import Client, Future, KilledWorker
from sqlalchemy.exc import SQLAlchemyError

from bnlab.runs.cluster import ClusterError, connect, disconnect, is_short_of_workers, worker_addresses
from bnlab.runs.groups import groups_behind, launch_group
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Labelled, Store
from bnlab.runs.tasks import TaskQueue
from bnlab.runs.worker import train_slice
from bnlab.runs.writer import SupersededError
from bnlab.specs.run_spec import MAX_PROGRAMS, RunSpec, program_key

SINGLE = ""
"""The group of a run that was launched by itself."""


def queue_order(waiting: Mapping[str, str], served: Mapping[str, int]) -> list[str]:
    """The order in which runs are trained; `waiting` maps them, in the order they came, to their groups.

    Single runs go first. Then groups take turns with one run each, the one served longest ago first: `served` counts
    up. A worker may take a later run of the same group, or a later single run, where it has compiled the program.
    """
    single = [run for run, group in waiting.items() if group == SINGLE]
    members: defaultdict[str, list[str]] = defaultdict(list)
    for run, group in waiting.items():
        if group != SINGLE:
            members[group].append(run)
    in_turn = sorted(members, key=lambda group: served.get(group, 0))
    rounds = zip_longest(*(members[group] for group in in_turn))
    return single + [run for runs in rounds for run in runs if run is not None]


def queued_in_order(store: Store, served: Mapping[str, int]) -> list[str]:
    """The digests of the runs that wait for a worker in the scheduler's order; `served` as in `queue_order`."""
    groups_of = groups_behind(store)
    return queue_order({digest: groups_of.get(digest, SINGLE) for digest in store.waiting()}, served)


class SchedulingPolicy:
    """A queue of waiting runs, with a memory of what each worker has compiled.

    Single runs are served first come, first served. Groups wait until no single run does, and then take turns.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Hashable, str]] = {}  # run -> its program, its group
        self._compiled: dict[str, list[Hashable]] = {}  # worker -> programs, the one used last at the end
        self._last_worker: dict[str, str] = {}  # run -> the worker that trained it last
        self._served: dict[str, int] = {}  # group -> when it was last served
        self._takes = 0

    @property
    def waiting(self) -> tuple[str, ...]:
        """The runs that wait, in the order they came."""
        return tuple(self._waiting)

    def add(self, run: str, program: Hashable, group: str = SINGLE) -> None:
        """Put a run at the end; one that waits already keeps its place, even if it now belongs elsewhere."""
        self._waiting[run] = program, group

    def remove(self, run: str) -> None:
        """Take a run out of the queue if it is there."""
        self._waiting.pop(run, None)

    def take(self, worker: str, workers: Iterable[str]) -> str | None:
        """The run that `worker` should train next.

        A program that another worker has compiled is worth waiting for, but no worker idles for it.
        """
        order = queue_order({run: group for run, (_, group) in self._waiting.items()}, self._served)
        if not order:
            return None
        _, group = self._waiting[order[0]]
        members = {run: program for run, (program, of) in self._waiting.items() if of == group}
        choice = self._choose(members, worker, set(workers) - {worker}, group)
        program, _ = self._waiting.pop(choice)
        self._remember(worker, program)
        self._last_worker[choice] = worker
        self._takes += 1
        self._served[group] = self._takes
        return choice

    @property
    def served(self) -> dict[str, int]:
        """When each group was last served, in numbers that count up."""
        return dict(self._served)

    def _choose(self, runs: Mapping[str, Hashable], worker: str, others: set[str], group: str) -> str:
        mine = self._compiled.get(worker, [])
        elsewhere = {program for other in others for program in self._compiled.get(other, ())}
        fitting = [run for run, program in runs.items() if program in mine or program not in elsewhere]
        preferred = [fitting, list(runs)]
        if group != SINGLE:
            # Its runs may overtake each other: one is ended before the next begins, and one program's before another's.
            begun = [run for run in runs if self._last_worker.get(run) == worker]
            known = [run for run, program in runs.items() if program in mine]
            preferred = [begun, known, *preferred]
        return next(choices[0] for choices in preferred if choices)

    def _remember(self, worker: str, program: Hashable) -> None:
        others = [known for known in self._compiled.get(worker, []) if known != program]
        self._compiled[worker] = [*others, program][-MAX_PROGRAMS:]


def new_owner() -> str:
    """A name for a lab in this process: host, process, its start, and a token."""
    return f"{socket.gethostname()}:{_process(os.getpid())}:{uuid.uuid4().hex[:8]}"


def is_dead(owner: str) -> bool:
    """Whether `owner` was a process of this host that has ended; False where this cannot be told."""
    host, pid, start, _token = owner.rsplit(":", 3) if owner.count(":") >= 3 else ("", "", "", "")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return f"{pid}:{start}" != _process(int(pid))


def _process(pid: int) -> str:
    try:
        return f"{pid}:{psutil.Process(pid).create_time():.2f}"
    except psutil.NoSuchProcess:
        return ""


IDLE_SECONDS = 1.0


RETRY_SECONDS = 5.0


MAX_DEATHS = 4


REVIVAL_SECONDS = 60.0


T = TypeVar("T")


class Scheduler:
    """Trains the runs of one store. Everything it knows is in the store, so another lab can take over.

    `problem` is one sentence while the workers cannot be had, and empty otherwise.
    """

    def __init__(self, store: Store, *, scheduler: str | None = None, workers: int | None = None) -> None:
        """Start the thread, which starts the workers; returns at once."""
        self.store = store
        self.owner = new_owner()
        self.problem = ""
        self._scheduler, self._workers = scheduler, workers
        self._client: Client | None = None
        self._complete_at = 0.0  # when all workers were last seen together
        self._turns = SchedulingPolicy()
        self._busy: dict[str, tuple[str, Future[RunState]]] = {}  # worker -> (digest, the slice it trains)
        self._deaths: dict[str, int] = {}  # how often in a row a run's worker has died
        self._tasks = TaskQueue()
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="bnlab-lab", daemon=True)
        self._thread.start()

    def launch(self, spec: RunSpec, label: str) -> Run:
        """Queue `spec` or attach to its run; returns at once."""
        return self.launch_runs([(spec, label)])[0]

    def launch_runs(self, specs: Labelled) -> list[Run]:
        """Queue specs with their labels, each by itself, or attach to their runs; returns at once."""
        launched = self.store.launch_runs(specs, self.owner)
        self._news.put("launched")
        return launched

    def launch_group(self, name: str, specs: Labelled) -> list[Run]:
        """Queue specs with their labels as one group, behind all single runs; returns at once. See `groups`."""
        found = launch_group(self.store, name, specs, self.owner)
        self._news.put("launched")
        return found

    def stop(self, digests: Iterable[str]) -> None:
        """Stop runs: waiting ones at once, training ones within half a second."""
        self.store.request_stop(digests)
        self._news.put("stop")

    def withdraw(self, digests: Iterable[str]) -> None:
        """Stop runs, and remove those that have not taken a step."""
        self.store.withdraw(digests)
        self._news.put("stop")

    def queue(self) -> list[str]:
        """The digests of the runs that wait for a worker, the next one first."""
        return queued_in_order(self.store, self._turns.served)

    def submit(self, function: Callable[..., T], *arguments: object) -> TaskFuture[T]:
        """Have any worker call `function(*arguments)` between two slices; returns at once.

        The future can be polled with `done()` and then has `result()` or `exception()`, a TaskError whose text is
        for the user. While there are no workers it waits; when the lab is closed it fails. `function` is sent by
        name, so it belongs to a module of bnlab; its module must not import TensorFlow, for the app's sake.
        """
        future = self._tasks.submit(function, *arguments)
        self._news.put("task")
        return future

    def close(self) -> None:
        """Let go of all runs, fail what was submitted, end the workers; training goes on at the next start."""
        self._closing.set()
        self._news.put("close")
        self._thread.join(timeout=20)

    def _work(self) -> None:
        with ExitStack() as end:  # all of it, the last first, whatever fails
            end.callback(self.store.release, self.owner)
            end.callback(self._tasks.close)
            end.callback(self._disconnect)
            while not self._closing.is_set():
                try:
                    self._poll()
                    self.problem = ""
                except Exception as error:  # noqa: BLE001 (whatever it is, the thread must outlive it)
                    self._pause(error)
                self._wait()

    def _pause(self, error: Exception) -> None:
        """Outlive a scheduler or a database that is away: what was being trained goes on from its checkpoint."""
        self.problem = str(error) if isinstance(error, ClusterError) else f"The lab pauses and tries again: {error}"
        if not isinstance(error, SQLAlchemyError):
            self._disconnect()
        self._closing.wait(RETRY_SECONDS)

    def _wait(self) -> None:
        """Sleep until something has happened, or for IDLE_SECONDS; a poll looks at everything anyway."""
        try:
            self._news.get(timeout=IDLE_SECONDS)
            while True:
                self._news.get_nowait()
        except queue.Empty:
            pass

    def _poll(self) -> None:
        """Look at everything once: lost runs, finished slices, waiting runs, idle workers."""
        if self._client is None:
            self._claim()  # before the workers, which take their time to start
            self._client = connect(self._scheduler, self._workers)
            self._complete_at = time.monotonic()
        self._check_workers()
        workers = worker_addresses(self._client)
        self._collect(workers)
        self._tasks.collect()
        active = self._claim()  # only now: a slice that has just been collected may have ended its run
        self._enqueue(active)
        mine = {run.digest for run in active}
        for digest in self._turns.waiting:
            if digest not in mine:
                self._turns.remove(digest)
        self._tasks.assign(self._client, lambda _future: self._news.put("task"))
        self._hand_out(workers)

    def _claim(self) -> list[Run]:
        return self.store.claim(self.owner, [owner for owner in self.store.owners() if is_dead(owner)])

    def _check_workers(self) -> None:
        """Begin anew with the workers if one was killed and has not come back.

        Dask restarts a worker that is killed, but gives up on one that is killed while it starts.
        """
        assert self._client is not None
        if not is_short_of_workers(self._client):
            self._complete_at = time.monotonic()
        elif time.monotonic() - self._complete_at > REVIVAL_SECONDS:
            raise ClusterError("A worker process did not come back; the workers are being restarted.")

    def _enqueue(self, active: Iterable[Run]) -> None:
        """Let those wait that nobody trains, but for those that are to stop."""
        training = {digest for digest, _ in self._busy.values()}
        behind = groups_behind(self.store)
        for run in active:
            if run.digest in training:
                continue
            if run.stop_requested:
                self._turns.remove(run.digest)
                self.store.finish(run.digest, self.owner, RunState.STOPPED)
            else:
                self._turns.add(run.digest, program_key(run.spec), behind.get(run.digest, SINGLE))

    def _hand_out(self, workers: list[str]) -> None:
        assert self._client is not None
        for worker in workers:
            digest = None if worker in self._busy else self._turns.take(worker, workers)
            fence = None if digest is None else self.store.next_fence(digest, self.owner)
            if digest is None or fence is None:
                continue
            future = self._client.submit(
                train_slice,
                self.store.url,
                digest,
                fence,
                key=f"{digest}-{fence}",
                workers=[worker],
                pure=False,
            )
            self._busy[worker] = digest, future
            future.add_done_callback(lambda _future: self._news.put("slice"))

    def _collect(self, workers: list[str]) -> None:
        """Take in the slices that have ended, with their workers or without."""
        for worker, (digest, future) in list(self._busy.items()):
            if future.done():
                del self._busy[worker]
                self._settle(digest, future)
            elif worker not in workers:  # Dask would wait for this very worker, but its successor has another address
                del self._busy[worker]
                future.cancel()
                self._on_worker_death(digest)

    def _settle(self, digest: str, future: Future[RunState]) -> None:
        error = future.exception() if future.status == "error" else None
        if error is None:
            self._deaths.pop(digest, None)
        elif isinstance(error, KilledWorker):
            self._on_worker_death(digest)
        elif not isinstance(error, SupersededError):
            self.store.finish(digest, self.owner, RunState.FAILED, _text(error))

    def _on_worker_death(self, digest: str) -> None:
        """A worker died training the run: it is tried again, but not for ever."""
        self._deaths[digest] = self._deaths.get(digest, 0) + 1
        if self._deaths[digest] >= MAX_DEATHS:
            self._deaths.pop(digest)
            words = f"The worker process died {MAX_DEATHS} times in a row on this run; it may need more memory."
            self.store.finish(digest, self.owner, RunState.FAILED, words)

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        self._busy.clear()
        self._tasks.requeue_running()
        if client is not None:
            disconnect(client)


def _text(error: BaseException) -> str:
    """What failed, in one sentence: our own errors carry it, others are named."""
    module = type(error).__module__
    return str(error) if module.startswith("bnlab.") else f"Training failed with {type(error).__name__}: {error}"
