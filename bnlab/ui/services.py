"""What all sessions of one app share: the lab with its store, the curves it has read, and the claims."""

import atexit
import threading

import streamlit as st

from bnlab.claims.recorded import recorded_trials
from bnlab.claims.service import ClaimService
from bnlab.runs.config import scheduler_address, store_url
from bnlab.runs.curves_cache import CurvesCache
from bnlab.runs.database import StoreError
from bnlab.runs.recording import read_recording
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store

JUDGED_AFTER = 3.0


def scheduler() -> Scheduler:
    """The app's lab, started with the first page. Shows a sentence and ends the page if the store cannot be opened."""
    try:
        return _lab()
    except StoreError as error:
        st.error(str(error), icon=":material/database_off:")
        st.stop()


def preload_recorded_trials() -> None:
    """Judge the trials that ship once the first page is likely to be drawn, so that nobody waits for it at Claims."""
    timer = threading.Timer(JUDGED_AFTER, recorded_trials)
    timer.daemon = True
    timer.start()


@st.cache_resource(show_spinner=False)
def curves_cache() -> CurvesCache:
    """The curves of the lab's store that somebody has looked at."""
    return CurvesCache(scheduler().store)


@st.cache_resource(show_spinner=False)
def claim_service() -> ClaimService:
    """The claims, whose experiments the app's lab runs."""
    return ClaimService(scheduler())


@st.cache_resource(show_spinner=False)
def _lab() -> Scheduler:
    store = Store(store_url())
    read_recording(store)
    started = Scheduler(store, scheduler=scheduler_address())
    atexit.register(started.close)
    preload_recorded_trials()
    return started
