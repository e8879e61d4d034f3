"""Who the reader of a page is, and what that visitor may do with runs."""

import hmac
import threading
import time
from collections.abc import Iterable

import streamlit as st

from bnlab.live.visitors import COOKIE
from bnlab.runs.config import Settings
from bnlab.runs.rights import Rights
from bnlab.runs.run import Run
from bnlab.ui import services

TEACHER = "teacher"
"""Session key: whether the teacher's key was entered."""
KEY_FIELD = "teacher-key"
SECONDS_PER_KEY = 1.0
"""How long a try at the teacher's key takes; all visitors wait for each other, so that it cannot be guessed."""

_one_key_at_a_time = threading.Lock()


def has_teacher() -> bool:
    """Whether the deployment has a teacher's key."""
    return Settings().teacher_key is not None


def is_teacher() -> bool:
    """Whether the teacher's key was entered in this session."""
    return bool(st.session_state.get(TEACHER))


def enter_key() -> None:
    """Make the session the teacher's if the key in the field KEY_FIELD is right. A callback of the field."""
    st.session_state[TEACHER] = is_key(str(st.session_state.get(KEY_FIELD, "")))


def is_key(entered: str) -> bool:
    """Whether this is the teacher's key; takes SECONDS_PER_KEY, and as long again for each try before it."""
    key = Settings().teacher_key
    with _one_key_at_a_time:
        time.sleep(SECONDS_PER_KEY)
    return key is not None and hmac.compare_digest(entered.encode(), key.get_secret_value().encode())


def stopping_visitor() -> str | None:
    """For whom Stop withdraws shares: the visitor, or as None everybody if a teacher presses it."""
    return None if is_teacher() else current_visitor()


def current_visitor() -> str:
    """The visitor of the session; `bnlab.runs.shares.NO_VISITOR` if the browser has sent no valid cookie."""
    return services.visitor_signer().read(st.context.cookies.get(COOKIE, ""))


def rights_on(runs: Iterable[Run], *, is_finished: bool = False) -> Rights:
    """The visitor's rights on those `runs` that wait or train and, if `is_finished`, on finished ones."""
    digests = [run.digest for run in runs if is_finished or not run.state.is_finished()]
    shares = services.scheduler().store.shares(digests) if digests else {}
    return Rights(current_visitor(), shares, is_teacher(), has_teacher())


def changeable(digests: Iterable[str]) -> list[str]:
    """Those of `digests` whose runs the visitor may rename, annotate and delete."""
    runs = services.scheduler().store.runs(digests)
    rights = rights_on(runs, is_finished=True)
    return [run.digest for run in runs if not rights.why_not_change(run)]
