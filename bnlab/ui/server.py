"""The server's part of the app: the routes beside Streamlit's, and what happens when it starts and ends."""

import asyncio
import importlib
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from types import FrameType

import streamlit as st

from bnlab.live.downloads import results_route
from bnlab.live.hub import Hub
from bnlab.live.routes import BaseRoute, stream_route
from bnlab.live.security import Middleware, security_middleware
from bnlab.live.visitors import visitor_cookies
from bnlab.runs.config import Settings
from bnlab.runs.errors import StoreError
from bnlab.ui import services
from bnlab.ui.assets import assets, base_path
from bnlab.ui.claims.results import preload
from bnlab.ui.downloads import downloads
from bnlab.ui.navigation import PAGES

SWITCH_SECONDS = 0.0005
"""Python's switch interval. With the default, 5 ms, scripts of many sessions wait for each other at each message."""

EXPERIMENTS_SECONDS = 5.0
"""The time between two looks for experiments whose runs have ended, so that their measurements are due."""
PRELOAD_SECONDS = 10.0
"""How long the start waits for a first visitor before it goes on with what other pages need."""


def routes() -> list[BaseRoute]:
    """The event streams, the files to download, and the scripts that pages load."""
    results = results_route(services.start_scheduler, base_path())
    return [stream_route(_hub(), base_path()), results, downloads().route(), assets().route()]


def middleware() -> list[Middleware]:
    """What is done with every request and answer: headers for security, and visitors get their cookies."""
    security = security_middleware(base_path(), Settings().frame_ancestors)
    return [*security, visitor_cookies(services.visitor_signer, base_path())]


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Start the scheduler with its workers and load what pages need before the first visitor comes."""
    sys.setswitchinterval(SWITCH_SECONDS)
    hub = _hub()
    _on_exit(hub)
    updates = asyncio.create_task(hub.run())
    ended = threading.Event()
    threading.Thread(target=_run_lab, args=(ended,), name="bnlab-lab", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        hub.close()
        await updates
        await asyncio.to_thread(services.close)


def _run_lab(ended: threading.Event) -> None:
    """Start the scheduler, load what visitors would wait for, and keep queued experiments going without any."""
    _prepare()
    while not ended.wait(EXPERIMENTS_SECONDS):
        with suppress(StoreError):
            services.claim_service().continue_queued()


def _prepare() -> None:
    with suppress(StoreError):  # every page says so, and tries again
        services.start_scheduler()
    assets().compress()
    for page in PAGES:
        importlib.import_module(f"bnlab.ui.{page.name}.page")
    # Python runs one thread at a time: what the first page does not need waits for it.
    services.first_page.wait(PRELOAD_SECONDS)
    preload()


def _on_exit(hub: Hub) -> None:
    """Close the hub at a signal to exit: the server then waits for its connections, and streams do not end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        previous = signal.getsignal(number)

        def close(received: int, frame: FrameType | None, previous: object = previous) -> None:
            loop.call_soon_threadsafe(hub.close)
            if callable(previous):
                previous(received, frame)

        signal.signal(number, close)


@cache
def _hub() -> Hub:
    return Hub(services.start_scheduler, services.claim_service)
