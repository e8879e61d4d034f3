"""Tasks that a page submits to a worker: awaited, cancelled, retried."""

from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

import streamlit as st
from cachetools import LRUCache

from bnlab.charts.formatting import escape_markdown
from bnlab.runs.scheduler import Scheduler
from bnlab.ui.live import wait_for
from bnlab.ui.store_errors import callback

MAX_SHARED_TASKS = 2_048

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class WorkerTask(Generic[T]):
    """A task of one session. `subject` identifies its input, `future` holds its result."""

    subject: Hashable
    future: "Future[T]"


def submit_task(
    key: str, subject: Hashable, scheduler: Scheduler, function: Callable[..., object], *arguments: object
) -> None:
    """Call `function` on a worker. Replaces the session's task under `key`."""
    st.session_state[key] = WorkerTask(subject, scheduler.submit(function, *arguments))


def current_task(key: str, subject: Hashable) -> WorkerTask[Any] | None:
    """The session's task under `key`, if it has this subject."""
    task: WorkerTask[Any] | None = st.session_state.get(key)
    return task if task is not None and task.subject == subject else None


def render_task(key: str, task: WorkerTask[T], progress_text: str, render_result: Callable[[T], None]) -> None:
    """Draw a task: a text with a Cancel button until it is done, its error with a Try again button, or its result."""
    if not task.future.done():
        st.info(progress_text, icon=":material/hourglass_top:")
        st.button("Cancel", icon=":material/close:", on_click=_cancel_task, args=(key,), key=f"{key}-cancel")
        wait_for(task.future)
    elif (error := task_error(task.future)) is not None:
        render_error(error)
        st.button("Try again", on_click=_cancel_task, args=(key,), key=f"{key}-again")
    else:
        render_result(task.future.result())


@callback
def _cancel_task(key: str) -> None:
    task: WorkerTask[Any] | None = st.session_state.pop(key, None)
    if task is not None:
        task.future.cancel()  # does not stop a task that is already running


def task_error(future: "Future[Any]") -> BaseException | None:
    """The error of a task that has failed."""
    return future.exception() if future.done() and not future.cancelled() else None


def error_sentence(error: BaseException) -> str:
    """The message of an error raised by bnlab itself; for any other, the scheduler's description of it."""
    cause = error.__cause__
    return str(cause if type(cause).__module__.startswith("bnlab.") else error)


def render_error(error: BaseException) -> None:
    """Draw the error of a task."""
    st.error(escape_markdown(error_sentence(error)), icon=":material/error:")


class SharedTasks(Generic[K]):
    """Tasks shared by all sessions, by subject. A subject is not submitted again while it is pending. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._futures: LRUCache[K, Future[Any]] = LRUCache(MAX_SHARED_TASKS)

    def submit(self, subjects: Iterable[K], submit: Callable[[list[K]], "Future[Any]"]) -> None:
        """Submit one task for those of `subjects` that are not pending."""
        with self._lock:
            new = [subject for subject in subjects if not self._is_pending(subject)]
            if new:
                future = submit(new)
                for subject in new:
                    self._futures[subject] = future

    def pending(self, subjects: Iterable[K]) -> "dict[K, Future[Any]]":
        """The tasks of those of `subjects` whose task is not done."""
        with self._lock:
            return {subject: self._futures[subject] for subject in subjects if self._is_pending(subject)}

    def errors(self, subjects: Iterable[K]) -> dict[K, BaseException]:
        """The errors of those of `subjects` whose last task failed."""
        with self._lock:
            futures = {subject: self._futures.get(subject) for subject in subjects}
        errors = {subject: task_error(future) for subject, future in futures.items() if future is not None}
        return {subject: error for subject, error in errors.items() if error is not None}

    def _is_pending(self, subject: K) -> bool:
        future = self._futures.get(subject)
        return future is not None and not future.done()
