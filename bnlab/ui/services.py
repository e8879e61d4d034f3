"""Objects shared by all sessions of one app: the scheduler with its store, and the claims."""

import atexit
import sys
import threading
from functools import cache

import streamlit as st
from pydantic import ValidationError

from bnlab.claims.service import ClaimService
from bnlab.runs.config import Settings, settings_error_text
from bnlab.runs.database import INTERACTIVE_BUSY_SECONDS
from bnlab.runs.limits import Limits
from bnlab.runs.recording import read_shipped_recordings
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from bnlab.runs.visitors import VisitorSigner, signing_key

first_page = threading.Event()
"""Set when a first visitor has seen a page."""
CLOSE_SECONDS = 2.5
"""How long the server's end waits for the scheduler; see `bnlab.runs.process`."""
EXIT_USAGE = 2
_started: list[Scheduler] = []


@cache
def settings() -> Settings:
    """The settings with which the server was started. With a bad value it does not start, and says so."""
    try:
        return Settings()
    except ValidationError as error:
        print(settings_error_text(error), file=sys.stderr)  # noqa: T201 (there is no log yet)
        sys.exit(EXIT_USAGE)


def scheduler() -> Scheduler:
    """The app's scheduler, started on first use. Raises a StoreError if the store cannot be opened."""
    return start_scheduler()


@st.cache_resource(show_spinner=False)
def claim_service() -> ClaimService:
    """The claims, whose experiments run on the app's scheduler."""
    return ClaimService(scheduler())


@st.cache_resource(show_spinner=False)
def open_store() -> Store:
    """The app's store, opened on first use. Raises a StoreError if that is not possible."""
    return Store(Settings().store, INTERACTIVE_BUSY_SECONDS)


@st.cache_resource(show_spinner=False)
def visitor_signer() -> VisitorSigner:
    """What signs and reads the cookies of visitors. Raises a StoreError if its key cannot be read."""
    secret = Settings().secret
    return VisitorSigner(secret.get_secret_value() if secret else signing_key(open_store()))


@st.cache_resource(show_spinner=False)
def start_scheduler() -> Scheduler:
    """The app's scheduler, started on first use.

    Raises:
        StoreError: the store cannot be opened.
    """
    settings, store = Settings(), open_store()
    read_shipped_recordings(store)
    started = Scheduler(store, scheduler=settings.scheduler, limits=Limits.from_settings(settings))
    atexit.register(started.close)  # where no server's end closes it
    _started.append(started)
    return started


def close() -> None:
    """Close what was started, so that the workers end and another process can take over the runs."""
    for started in _started:
        started.close(CLOSE_SECONDS)


def release() -> None:
    """Let another process take over the runs, where `close` has not come to it."""
    for started in _started:
        started.release()
