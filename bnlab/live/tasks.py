"""Tasks of workers for whose results pages wait: their identifiers, which are part of a stream's address."""

import secrets
from concurrent.futures import Future
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

_ids: WeakKeyDictionary[Future[Any], str] = WeakKeyDictionary()
_futures: WeakValueDictionary[str, Future[Any]] = WeakValueDictionary()


def task_id(future: Future[Any]) -> str:
    """The identifier of a task in this process, always the same and not to be guessed."""
    identifier = _ids.setdefault(future, secrets.token_hex(8))
    _futures[identifier] = future
    return identifier


def find_task(identifier: str) -> Future[Any] | None:
    """The task; None if it is no longer there, or belonged to a process that has ended."""
    return _futures.get(identifier)
