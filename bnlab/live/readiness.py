"""Whether the server can do its work: what a health check, a load balancer or an operator asks."""

import threading
from collections.abc import Callable

from cachetools import TTLCache, cached
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bnlab.live.hub import Hub
from bnlab.runs.errors import StoreError
from bnlab.runs.scheduler import Scheduler

READY = "ready"
"""What a ready server answers; Streamlit answers unknown addresses with a page and status 200."""
HUB_STOPPED = "Live updates have stopped."
CHECK_SECONDS = 1.0
"""For how long an answer is kept, so that asking often costs nothing."""


def readiness_route(hub: Hub, scheduler: Callable[[], Scheduler], base: str) -> BaseRoute:
    """The route ``/ready`` below the app's base path: status 200 and READY, or 503 and one sentence a line.

    Args:
        hub: must be running.
        scheduler: asked at each check; it waits while the scheduler is started, and may raise a StoreError.
        base: empty or like ``/lab``.
    """

    @cached(TTLCache(1, CHECK_SECONDS), lock=threading.Lock())
    def problems() -> tuple[str, ...]:
        return tuple(find_problems(hub, scheduler))

    def serve(_request: Request) -> Response:  # not a coroutine: Starlette calls it in a thread
        found = problems()
        text = "\n".join(found) if found else READY
        return PlainTextResponse(f"{text}\n", 503 if found else 200, {"Cache-Control": "no-store"})

    return Route(f"{base}/ready", serve)


def find_problems(hub: Hub, scheduler: Callable[[], Scheduler]) -> list[str]:
    """Sentences on what keeps the server from its work: store, scheduler, hub. None of them is about a worker.

    Local workers that are being started, and a scheduler without workers, are no such problem: pages can be used.
    """
    found = [] if hub.is_running else [HUB_STOPPED]
    try:
        started = scheduler()
        started.store.check_writable()
    except StoreError as error:
        return [*found, str(error)]
    return [*found, unreachable] if (unreachable := started.unreachable) else found
