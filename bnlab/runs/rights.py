"""What a visitor may do with runs, of which others may have shares."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bnlab.runs.run import Run
from bnlab.runs.shares import NO_SHARES, Shares

SECONDS_PER_DAY = 86_400


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
        """Why the visitor may not rename, annotate and delete this run; empty if that is allowed."""
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
        return Shares(self.wanted_by(runs)).others(self.visitor)

    def wanted_by(self, runs: Iterable[Run]) -> frozenset[str]:
        """The visitors who want any of those `runs` that wait or train."""
        active = [run for run in runs if not run.state.is_finished()]
        return frozenset().union(*(self._shares(run).wanted_by for run in active))

    def _shares(self, run: Run) -> Shares:
        return self.shares.get(run.digest, NO_SHARES)


def others_text(others: int) -> str:
    """How many other visitors want a run, for its card; empty if none does."""
    return f"Also watched by {others}" if others else ""
