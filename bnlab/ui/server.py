"""The server's part of the app: the routes beside Streamlit's, and what happens when it starts and ends."""

import asyncio
import importlib
import logging
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from types import FrameType

import streamlit as st

import bnlab
from bnlab.live.downloads import results_route
from bnlab.live.hub import Hub
from bnlab.live.metrics import metrics_route
from bnlab.live.readiness import readiness_route
from bnlab.live.routes import BaseRoute, stream_route
from bnlab.live.security import Middleware, security_middleware
from bnlab.live.session_limit import session_limit
from bnlab.live.visitors import visitor_cookies
from bnlab.runs.errors import StoreError
from bnlab.runs.logs import log_event, set_up_logging
from bnlab.runs.process import EXIT_SECONDS, exit_after, kill_children, raise_file_limit
from bnlab.ui import services
from bnlab.ui.assets import PLOTLY, assets, base_path
from bnlab.ui.claims.results import preload
from bnlab.ui.downloads import downloads
from bnlab.ui.navigation import PAGES

SWITCH_SECONDS = 0.0005
"""Python's switch interval. With the default, 5 ms, scripts of many sessions wait for each other at each message."""

EXPERIMENTS_SECONDS = 5.0
"""The time between two looks for experiments whose runs have ended, so that their measurements are due."""
PRELOAD_SECONDS = 10.0
"""How long the start waits for a first visitor before it goes on with what other pages need."""
DRAWING_SECONDS = 3.0
"""How long a browser on the same, slow machine draws the charts of a first page that it has got."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Addresses on which a server listens for this machine alone, and the names by which it is asked then."""
LOGGED_TOO = ("streamlit", "uvicorn", "distributed")
"""Packages of the server whose log looks like bnlab's."""

logger = logging.getLogger(__name__)


def routes() -> list[BaseRoute]:
    """The event streams, the files to download, the scripts that pages load, and what operators ask for."""
    hub, base = _hub(), base_path()
    results = results_route(services.start_scheduler, base)
    ready = readiness_route(hub, services.start_scheduler, base)
    metrics = [metrics_route(hub, services.start_scheduler, base)] if services.settings().metrics else []
    return [stream_route(hub, base), results, downloads().route(), assets().route(), ready, *metrics]


def middleware() -> list[Middleware]:
    """What is done with every request and answer: headers for security, a limit, and visitors get cookies."""
    settings = services.settings()
    security = security_middleware(base_path(), settings.frame_ancestors, allowed_hosts())
    in_frames = settings.frame_ancestors.split() not in (["'self'"], ["'none'"])
    cookies = visitor_cookies(services.visitor_signer, base_path(), in_frames=in_frames)
    limit = session_limit(settings.max_sessions, base_path())
    return [*security, limit, cookies, assets().preload([PLOTLY])]


def allowed_hosts() -> list[str]:
    """The names that requests may have in their header Host, any if it is empty: Streamlit's `server.allowedHosts`.

    Without that option a server that listens for this machine alone answers to this machine's names, and to that in
    `browser.serverAddress`: a website that gives its own name to this address is not to read its answers.
    """
    chosen = list(st.get_option("server.allowedHosts"))
    if chosen or st.get_option("server.address") not in LOOPBACK:
        return chosen
    names = [f"[{name}]" if ":" in name else name for name in LOOPBACK]
    shown = st.get_option("browser.serverAddress")
    return [*names, *([shown] if shown and shown not in names else [])]


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Start the scheduler with its workers and load what pages need before the first visitor comes."""
    settings = services.settings()
    set_up_logging(settings.log_level, settings.secret_texts(), LOGGED_TOO)
    files = raise_file_limit()
    log_event(logger, logging.INFO, "started", version=bnlab.__version__, store=settings.store, files=files)
    sys.setswitchinterval(SWITCH_SECONDS)
    hub = _hub()
    _on_exit(hub)
    updates = asyncio.create_task(hub.run())
    ended = threading.Event()
    threading.Thread(target=_run_scheduler, args=(ended,), name="bnlab-background", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        hub.close()
        await updates
        await asyncio.to_thread(services.close)
        kill_children()  # what was being started; the process from which workers are forked would go on for seconds
        log_event(logger, logging.INFO, "ended")


def _run_scheduler(ended: threading.Event) -> None:
    """Start the scheduler, load what visitors would wait for, and keep queued experiments going without any."""
    _prepare(ended)
    while not ended.wait(EXPERIMENTS_SECONDS):
        with suppress(StoreError):
            services.claim_service().continue_queued()


def _prepare(ended: threading.Event) -> None:
    assets().compress()
    with suppress(StoreError):  # every page says so, and tries again
        services.start_scheduler()
    for page in PAGES:
        importlib.import_module(f"bnlab.ui.{page.name}.page")
    importlib.import_module("scipy.special")  # for the answer on the first page
    # Python runs one thread at a time: what the first page does not need waits until its charts are drawn.
    services.first_page.wait(PRELOAD_SECONDS)
    if not ended.wait(DRAWING_SECONDS):
        preload()


def _on_exit(hub: Hub) -> None:
    """Close the hub at a signal to exit: the server then waits for its connections, and streams do not end.

    What takes longer, such as workers that are just being started, is cut off.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        previous = signal.getsignal(number)

        def close(received: int, frame: FrameType | None, previous: object = previous) -> None:
            exit_after(EXIT_SECONDS, services.release)
            loop.call_soon_threadsafe(hub.close)
            if callable(previous):
                previous(received, frame)

        signal.signal(number, close)


@cache
def _hub() -> Hub:
    return Hub(services.start_scheduler, services.claim_service)
