"""A cache of results that grow, in which a newer one takes the place of its predecessor."""

from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from cachetools import LRUCache

P = ParamSpec("P")
T = TypeVar("T")


def latest_cached(
    maxsize: int,
    size: Callable[[Any], int],
    subject: Callable[P, Hashable],
    version: Callable[P, Hashable],
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep the result of each subject's last version.

    With a cache by version all versions of a run that trains would stay in memory until the cache is full.

    Args:
        maxsize: the capacity, in the unit of `size`; the least recently used subjects are evicted first. A result that
            exceeds it is not kept.
        size: how much of the capacity a result takes.
        subject: what the result of a call is about, such as runs; from the call's arguments.
        version: equal for calls about a subject with equal results, such as its step.
    """
    cache: LRUCache[Hashable, tuple[Hashable, Any]] = LRUCache(maxsize, getsizeof=lambda entry: size(entry[1]))
    lock = Lock()

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            key, current = subject(*args, **kwargs), version(*args, **kwargs)
            with lock:
                kept = cache.get(key)
            if kept is not None and kept[0] == current:
                found: T = kept[1]
                return found
            result = function(*args, **kwargs)
            with lock:
                cache.pop(key, None)
                if size(result) <= maxsize:
                    cache[key] = current, result
            return result

        return call

    return decorate
