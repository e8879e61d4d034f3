"""Who the reader of a page is, and what that visitor may do with the runs of others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import streamlit as st

from bnlab.live.visitors import COOKIE
from bnlab.runs.run import Run
from bnlab.runs.shares import NO_SHARES, Shares
from bnlab.ui import services


def current_visitor() -> str:
    """The visitor of the session; `bnlab.runs.shares.NOBODY` if the browser has sent no valid cookie."""
    return services.visitor_signer().read(st.context.cookies.get(COOKIE, ""))


@dataclass(frozen=True)
class Rights:
    """What `visitor` may do with runs that have these shares, by digest."""

    visitor: str
    shares: Mapping[str, Shares]

    def may_stop(self, run: Run) -> bool:
        """Whether Stop has an effect on this run."""
        return self._shares(run).may_stop(self.visitor)

    def may_launch(self, run: Run | None) -> bool:
        """Whether launching a spec, whose run this is, has an effect: on its training or on who wants it."""
        return run is None or run.can_launch or self.may_join(run)

    def may_join(self, run: Run) -> bool:
        """Whether the run waits or trains for others alone, so that launching it gives the visitor a share."""
        return not run.state.is_finished() and not self.may_stop(run)

    def others(self, runs: Iterable[Run]) -> int:
        """How many other visitors want any of those `runs` that wait or train."""
        active = [run for run in runs if not run.state.is_finished()]
        return Shares(frozenset().union(*(self._shares(run).wanted_by for run in active))).others(self.visitor)

    def _shares(self, run: Run) -> Shares:
        return self.shares.get(run.digest, NO_SHARES)


def rights_on(runs: Iterable[Run]) -> Rights:
    """The visitor's rights on those `runs` that wait or train."""
    active = [run.digest for run in runs if not run.state.is_finished()]
    return Rights(current_visitor(), services.scheduler().store.shares(active) if active else {})


def others_text(others: int) -> str:
    """How many other visitors want a run, for its card; empty if none does."""
    return f"Also watched by {others}" if others else ""
