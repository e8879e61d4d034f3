"""Tasks: short function calls for any worker, done between the slices of the runs."""

import threading
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

import distributed
from distributed import Client, KilledWorker

RESULT_SECONDS = 60
"""How long fetching a result from a worker may take."""
ENDED_STATUSES = ("finished", "error")
"""The statuses of a Dask future that has a result or an exception; others mean that the task was lost."""
MAX_LOSSES = 4
"""How often the workers of a task may be lost before it fails, where Dask does not count."""
CLOSED = "bnlab was closed before this was done."
KILLED = "The worker processes died of it; they may need more memory."

T = TypeVar("T")


class TaskError(RuntimeError):
    """A task that was not done; `str()` is one sentence for the user."""


@dataclass(frozen=True, eq=False)
class Task:
    """A call of `function`, and the `future` that its caller holds."""

    future: Future[Any]
    function: Callable[..., Any]
    arguments: tuple[object, ...]


class TaskQueue:
    """A queue of tasks. `submit` may be called from any thread, everything else from the scheduler's only.

    A task whose worker or cluster is lost is called again, so it must be idempotent.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _closed and _waiting
        self._closed = False
        self._waiting: list[Task] = []
        self._running: dict[Task, distributed.Future[Any]] = {}
        self._allowed: dict[Task, frozenset[str]] = {}  # the workers of running tasks that not all may do
        self._losses: Counter[Task] = Counter()  # how often all of them were lost

    @property
    def is_busy(self) -> bool:
        """Whether a task waits or is done."""
        return bool(self._waiting or self._running)

    def submit(self, function: Callable[..., T], *arguments: object) -> Future[T]:
        """Queue a call of `function(*arguments)`; the future's exception, if it has one, is a TaskError."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                future.set_exception(TaskError(CLOSED))
            else:
                self._waiting.append(Task(future, function, arguments))
        return future

    def assign(self, client: Client, on_done: Callable[[object], None], workers: Collection[str] | None = None) -> None:
        """Send all waiting tasks to the client, even while it has no workers; `on_done` is called as each one ends.

        `workers` are the addresses of those that may do them, by default all; while there are none, tasks wait.
        """
        while (workers is None or workers) and (task := self._next()) is not None:
            try:
                allowed = {} if workers is None else {"workers": list(workers)}
                running = client.submit(task.function, *task.arguments, pure=False, **allowed)
            except Exception:
                self._requeue([task])
                raise
            self._running[task] = running
            if workers is not None:
                self._allowed[task] = frozenset(workers)
            running.add_done_callback(on_done)

    def collect(self, connected: Collection[str] = ()) -> None:
        """Resolve the futures of the tasks that have ended; a task that was lost waits again.

        `connected` are the addresses of all workers: Dask would wait for those that a task was limited to.
        """
        for task, running in list(self._running.items()):
            if not running.done() and task in self._allowed and self._allowed[task].isdisjoint(connected):
                running.cancel()
                self._forget(task)
                self._losses[task] += 1
                if self._losses[task] < MAX_LOSSES:
                    self._requeue([task])
                else:
                    task.future.set_exception(TaskError(KILLED))
            elif running.done():
                self._forget(task)
                if running.status in ENDED_STATUSES:
                    _resolve(task, running)
                else:
                    self._requeue([task])

    def requeue_running(self) -> None:
        """Let all running tasks wait again, as when the cluster is lost."""
        self._requeue(list(self._running))
        self._running.clear()
        self._allowed.clear()

    def _forget(self, task: Task) -> None:
        del self._running[task]
        self._allowed.pop(task, None)

    def close(self) -> None:
        """Fail all tasks that have not ended, and all that are submitted later."""
        self.requeue_running()
        with self._lock:
            self._closed = True
        while (task := self._next()) is not None:
            task.future.set_exception(TaskError(CLOSED))

    def _next(self) -> Task | None:
        """Remove and return the first waiting task that was not cancelled."""
        with self._lock:
            while self._waiting:
                task = self._waiting.pop(0)
                if task.future.running() or task.future.set_running_or_notify_cancel():
                    return task
        return None

    def _requeue(self, tasks: list[Task]) -> None:
        with self._lock:
            self._waiting[:0] = tasks


def _resolve(task: Task, ended: "distributed.Future[Any]") -> None:
    try:
        task.future.set_result(ended.result(timeout=RESULT_SECONDS))
    except KilledWorker as error:
        task.future.set_exception(_task_error(KILLED, error))
    except Exception as error:  # noqa: BLE001 (every error belongs to the caller)
        task.future.set_exception(_task_error(f"It failed with {type(error).__name__}: {error}", error))


def _task_error(sentence: str, cause: Exception) -> TaskError:
    error = TaskError(sentence)
    error.__cause__ = cause
    return error
