"""Objects shared by all sessions of one app: the scheduler with its store, the cached curves, and the claims."""

import atexit
import threading

import streamlit as st

from bnlab.claims.recorded import recorded_results
from bnlab.claims.service import ClaimService
from bnlab.runs.config import Settings
from bnlab.runs.curves_cache import CurvesCache
from bnlab.runs.database import INTERACTIVE_BUSY_SECONDS
from bnlab.runs.recording import read_shipped_recordings
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store

PRELOAD_DELAY = 3.0
"""Seconds from the start of the scheduler; by then the first page is likely to be drawn."""


def scheduler() -> Scheduler:
    """The app's scheduler, started on first use. Raises a StoreError if the store cannot be opened."""
    return _start_scheduler()


@st.cache_resource(show_spinner=False)
def curves_cache() -> CurvesCache:
    """The cached curves of the scheduler's store."""
    return CurvesCache(scheduler().store)


@st.cache_resource(show_spinner=False)
def claim_service() -> ClaimService:
    """The claims, whose experiments run on the app's scheduler."""
    return ClaimService(scheduler())


def preload_recorded_trials() -> None:
    """Compute the verdicts of the recorded trials in the background, so that the Claims page opens quickly."""
    timer = threading.Timer(PRELOAD_DELAY, recorded_results)
    timer.daemon = True
    timer.start()


@st.cache_resource(show_spinner=False)
def _start_scheduler() -> Scheduler:
    settings = Settings()
    store = Store(settings.store, INTERACTIVE_BUSY_SECONDS)
    read_shipped_recordings(store)
    started = Scheduler(store, scheduler=settings.scheduler)
    atexit.register(started.close)
    preload_recorded_trials()
    return started
