"""Tasks that a page asks a worker for: submitted, watched until they are done, cancelled, tried again, drawn."""

import time
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeVar

import streamlit as st
from cachetools import LRUCache

from bnlab.charts.formatting import escape_markdown
from bnlab.runs.scheduler import Scheduler

POLL_SECONDS = 0.5
KEPT_TASKS = 2_048

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class WorkerTask(Generic[T]):
    """A task of one session: what it is about, and its result to come."""

    subject: Hashable
    future: "Future[T]"
    submitted_at: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long ago it was submitted."""
        return time.monotonic() - self.submitted_at


def submit_task(
    key: str, subject: Hashable, lab: Scheduler, function: Callable[..., object], *arguments: object
) -> None:
    """Have a worker call the function; the session's task of that `key` is this one from now on."""
    st.session_state[key] = WorkerTask(subject, lab.submit(function, *arguments))


def current_task(key: str, subject: Hashable) -> WorkerTask[Any] | None:
    """The session's task of that `key` if it is about `subject`."""
    task: WorkerTask[Any] | None = st.session_state.get(key)
    return task if task is not None and task.subject == subject else None


def render_task(
    key: str, task: WorkerTask[T], waiting: Callable[[WorkerTask[T]], str], draw: Callable[[T], None]
) -> None:
    """Say that a worker is `waiting` for or doing the task, with a button to cancel it; once it is done, `draw` it."""

    def render() -> None:
        if not task.future.done():
            st.info(waiting(task), icon=":material/hourglass_top:")
            if st.button("Cancel", icon=":material/close:", key=f"{key}-cancel"):
                _drop(key)
                st.rerun()
        elif (error := task_error(task.future)) is not None:
            render_error(error)
            st.button("Try again", on_click=_drop, args=(key,), key=f"{key}-again")
        else:
            draw(task.future.result())

    watch(lambda: not task.future.done(), render)


def watch(is_pending: Callable[[], bool], render: Callable[[], None]) -> None:
    """Draw with `render`, anew twice a second while something is pending, and then with the whole page."""
    pending = is_pending()
    st.fragment(run_every=POLL_SECONDS if pending else None)(_watch)(is_pending, render, was_pending=pending)


def _watch(is_pending: Callable[[], bool], render: Callable[[], None], *, was_pending: bool) -> None:
    if was_pending and not is_pending():
        st.rerun()  # a fragment cannot end its own timer
    render()


def _drop(key: str) -> None:
    task: WorkerTask[Any] | None = st.session_state.pop(key, None)
    if task is not None:
        task.future.cancel()  # of no effect once a worker has it


def task_error(future: "Future[Any]") -> BaseException | None:
    """Why a task that is done has failed."""
    return future.exception() if future.done() and not future.cancelled() else None


def error_sentence(error: BaseException) -> str:
    """The errors of bnlab say for themselves what is wrong; other ones are described by the scheduler."""
    cause = error.__cause__
    return str(cause if type(cause).__module__.startswith("bnlab.") else error)


def render_error(error: BaseException) -> None:
    """Draw why a task has failed."""
    st.error(escape_markdown(error_sentence(error)), icon=":material/error:")


class SharedTasks(Generic[K]):
    """Tasks of all sessions, by what they are about: nothing is submitted twice while it is pending. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._futures: LRUCache[K, Future[Any]] = LRUCache(KEPT_TASKS)

    def submit(self, subjects: Iterable[K], submit: Callable[[list[K]], "Future[Any]"]) -> None:
        """Submit one task for those of `subjects` that none is pending for."""
        with self._lock:
            fresh = [subject for subject in subjects if not self._is_pending(subject)]
            if fresh:
                future = submit(fresh)
                for subject in fresh:
                    self._futures[subject] = future

    def pending(self, subjects: Iterable[K]) -> set[K]:
        """Those of `subjects` that a worker has still to do."""
        with self._lock:
            return {subject for subject in subjects if self._is_pending(subject)}

    def errors(self, subjects: Iterable[K]) -> dict[K, BaseException]:
        """Those of `subjects` whose last task has failed, with its error."""
        with self._lock:
            futures = {subject: self._futures.get(subject) for subject in subjects}
        errors = {subject: task_error(future) for subject, future in futures.items() if future is not None}
        return {subject: error for subject, error in errors.items() if error is not None}

    def _is_pending(self, subject: K) -> bool:
        future = self._futures.get(subject)
        return future is not None and not future.done()
