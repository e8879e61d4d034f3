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
from bnlab.runs.database import StoreError
from bnlab.ui import services
from bnlab.ui.assets import assets, base_path
from bnlab.ui.downloads import downloads
from bnlab.ui.navigation import PAGES

SWITCH_SECONDS = 0.0005
"""Python's switch interval. With the default, 5 ms, scripts of many sessions wait for each other at each message."""


def routes() -> list[BaseRoute]:
    """The event streams, the files to download, and the scripts that pages load."""
    results = results_route(services.start_scheduler, base_path())
    return [stream_route(_hub(), base_path()), results, downloads().route(), assets().route()]


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Start the scheduler with its workers and load what pages need before the first visitor comes."""
    sys.setswitchinterval(SWITCH_SECONDS)
    hub = _hub()
    _on_exit(hub)
    updates = asyncio.create_task(hub.run())
    threading.Thread(target=_prepare, name="bnlab-start", daemon=True).start()
    try:
        yield
    finally:
        hub.close()
        await updates
        await asyncio.to_thread(services.close)


def _prepare() -> None:
    """Start the scheduler, and load what the first visitor would wait for."""
    with suppress(StoreError):  # every page says so, and tries again
        services.start_scheduler()
    for page in PAGES:
        importlib.import_module(f"bnlab.ui.{page.name}.page")
    services.preload()


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
    return Hub(services.start_scheduler)
