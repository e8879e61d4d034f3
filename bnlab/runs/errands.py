"""Errands: short tasks for any worker, done between the slices of the runs."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

import distributed
from distributed import Client, KilledWorker

FETCH_SECONDS = 60
ENDED = ("finished", "error")
CLOSED = "bnlab was closed before this was done."

T = TypeVar("T")


class ErrandError(RuntimeError):
    """An errand that was not done; `str()` is one sentence for the user."""


@dataclass(frozen=True, eq=False)
class _Errand:
    answer: Future[Any]
    function: Callable[..., Any]
    arguments: tuple[object, ...]


class Errands:
    """A queue of errands. `add` may be called from any thread, everything else from the lab's alone.

    An errand whose worker or whose cluster is lost is done again, so it must only read, or write the same twice.
    """

    def __init__(self) -> None:
        """Nothing is to be done."""
        self._lock = threading.Lock()  # around the next two
        self._closed = False
        self._waiting: list[_Errand] = []
        self._out: dict[_Errand, distributed.Future[Any]] = {}

    def add(self, function: Callable[..., T], *arguments: object) -> Future[T]:
        """Ask for `function(*arguments)`: the answer, or an ErrandError, is there once the future is done."""
        answer: Future[T] = Future()
        with self._lock:
            if self._closed:
                answer.set_exception(ErrandError(CLOSED))
            else:
                self._waiting.append(_Errand(answer, function, arguments))
        return answer

    def hand_out(self, client: Client, done: Callable[[object], None]) -> None:
        """Give what waits to the workers, or to the first that comes; `done` is called when one has ended."""
        while (errand := self._next()) is not None:
            try:
                future = client.submit(errand.function, *errand.arguments, pure=False)
            except Exception:
                self._wait_again([errand])
                raise
            self._out[errand] = future
            future.add_done_callback(done)

    def collect(self) -> None:
        """Answer the errands that have ended; one that was lost on the way waits again."""
        for errand, future in list(self._out.items()):
            if future.done():
                del self._out[errand]
                if future.status in ENDED:
                    _answer(errand, future)
                else:
                    self._wait_again([errand])

    def recall(self) -> None:
        """The workers are gone: what they had been given waits for the next ones."""
        self._wait_again(list(self._out))
        self._out.clear()

    def close(self) -> None:
        """Fail whatever has not been done, and whatever is added from now on."""
        self.recall()
        with self._lock:
            self._closed = True
        while (errand := self._next()) is not None:
            errand.answer.set_exception(ErrandError(CLOSED))

    def _next(self) -> _Errand | None:
        """The first that waits and that nobody has cancelled."""
        with self._lock:
            while self._waiting:
                errand = self._waiting.pop(0)
                if errand.answer.running() or errand.answer.set_running_or_notify_cancel():
                    return errand
        return None

    def _wait_again(self, errands: list[_Errand]) -> None:
        with self._lock:
            self._waiting[:0] = errands


def _answer(errand: _Errand, future: "distributed.Future[Any]") -> None:
    try:
        errand.answer.set_result(future.result(timeout=FETCH_SECONDS))
    except KilledWorker as error:
        errand.answer.set_exception(_caused("The worker processes died of it; they may need more memory.", error))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the answer)
        errand.answer.set_exception(_caused(f"It failed with {type(error).__name__}: {error}", error))


def _caused(sentence: str, error: Exception) -> ErrandError:
    failure = ErrandError(sentence)
    failure.__cause__ = error
    return failure
