"""Who the reader of a page is, and what that visitor may do with the runs of others."""

import hmac
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import streamlit as st

from bnlab.live.visitors import COOKIE
from bnlab.runs.config import Settings
from bnlab.runs.run import Run
from bnlab.runs.shares import NO_SHARES, Shares
from bnlab.ui import services

TEACHER = "teacher"
"""Session key: whether the teacher's key was entered."""
KEY_FIELD = "teacher-key"
SECONDS_PER_DAY = 86_400


def has_teacher() -> bool:
    """Whether the deployment has a teacher's key."""
    return Settings().teacher_key is not None


def is_teacher() -> bool:
    """Whether the teacher's key was entered in this session."""
    return bool(st.session_state.get(TEACHER))


def enter_key() -> None:
    """Make the session the teacher's if the key in the field KEY_FIELD is right. A callback of the field."""
    key, entered = Settings().teacher_key, str(st.session_state.get(KEY_FIELD, ""))
    is_right = key is not None and hmac.compare_digest(entered.encode(), key.get_secret_value().encode())
    st.session_state[TEACHER] = is_right


def stopping_visitor() -> str | None:
    """For whom Stop withdraws shares: the visitor, or as None everybody if a teacher presses it."""
    return None if is_teacher() else current_visitor()


def current_visitor() -> str:
    """The visitor of the session; `bnlab.runs.shares.NOBODY` if the browser has sent no valid cookie."""
    return services.visitor_signer().read(st.context.cookies.get(COOKIE, ""))


@dataclass(frozen=True)
class Rights:
    """What `visitor` may do with runs that have these shares, by digest."""

    visitor: str
    shares: Mapping[str, Shares]
    is_teacher: bool = False
    has_teacher: bool = False

    def may_stop(self, run: Run) -> bool:
        """Whether Stop has an effect on this run."""
        return self.is_teacher or self._shares(run).may_stop(self.visitor)

    def why_not_change(self, run: Run) -> str:
        """Why the visitor may not rename and delete this run; empty if that is allowed."""
        if self.is_teacher:
            return ""
        days_idle = (time.time() - run.updated_at) / SECONDS_PER_DAY if run.state.is_finished() else 0.0
        return self._shares(run).why_not_change(self.visitor, has_teacher=self.has_teacher, days_idle=days_idle)

    def may_launch(self, run: Run | None) -> bool:
        """Whether launching a spec, whose run this is, has an effect: on its training or on who wants it."""
        return run is None or run.can_launch or self.may_join(run)

    def may_join(self, run: Run) -> bool:
        """Whether the run waits or trains for others alone, so that launching it gives the visitor a share."""
        return not run.state.is_finished() and not self._shares(run).may_stop(self.visitor)

    def others(self, runs: Iterable[Run]) -> int:
        """How many other visitors want any of those `runs` that wait or train."""
        active = [run for run in runs if not run.state.is_finished()]
        return Shares(frozenset().union(*(self._shares(run).wanted_by for run in active))).others(self.visitor)

    def _shares(self, run: Run) -> Shares:
        return self.shares.get(run.digest, NO_SHARES)


def rights_on(runs: Iterable[Run], *, is_finished: bool = False) -> Rights:
    """The visitor's rights on those `runs` that wait or train and, if `is_finished`, on finished ones."""
    digests = [run.digest for run in runs if is_finished or not run.state.is_finished()]
    shares = services.scheduler().store.shares(digests) if digests else {}
    return Rights(current_visitor(), shares, is_teacher(), has_teacher())


def changeable(digests: Iterable[str]) -> list[str]:
    """Those of `digests` whose runs the visitor may rename and delete."""
    runs = services.scheduler().store.runs(digests)
    rights = rights_on(runs, is_finished=True)
    return [run.digest for run in runs if not rights.why_not_change(run)]


def others_text(others: int) -> str:
    """How many other visitors want a run, for its card; empty if none does."""
    return f"Also watched by {others}" if others else ""
