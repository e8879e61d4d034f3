"""Limits of what visitors may launch, so that nobody fills the queue or a worker's memory."""

from dataclasses import dataclass

from sqlalchemy import select

from bnlab.runs.config import Settings
from bnlab.runs.run import ACTIVE
from bnlab.runs.schema import run_shares, runs
from bnlab.runs.shares import NOBODY
from bnlab.runs.store import Labelled, Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec


class LimitError(ValueError):
    """More was to be launched than the deployment allows; `str()` is one sentence that says what to do."""


@dataclass(frozen=True)
class Limits:
    """The largest number of active runs per visitor, of parameters per network and of steps per run."""

    queued_runs: int
    parameters: int
    steps: int

    @classmethod
    def from_settings(cls, settings: Settings) -> "Limits":
        """The limits that the settings name."""
        return cls(settings.max_queued_runs, settings.max_parameters, settings.max_steps)

    def check(self, store: Store, specs: Labelled, visitor: str) -> None:
        """Check what `visitor` is to launch.

        Raises:
            LimitError: it exceeds a limit.
        """
        for spec, label in specs:
            self._check_size(spec, label)
        active = _active_runs(store, visitor)
        new = {spec.digest for spec, _ in specs} - active
        if new and len(active) + len(new) > self.queued_runs:
            yours = f", and {len(active):,} of yours wait or train already" if active else ""
            raise LimitError(
                f"{_runs_text(len(new))} would be queued{yours}; at most {self.queued_runs:,} of one visitor may be. "
                "Wait until some have ended, stop some, or take fewer seeds or networks."
            )

    def _check_size(self, spec: RunSpec, label: str) -> None:
        if (parameters := describe_network(spec).params) > self.parameters:
            raise LimitError(
                f"“{label}” has {parameters:,} parameters, and at most {self.parameters:,} are allowed here: "
                "take fewer or narrower layers."
            )
        if spec.total_steps > self.steps:
            raise LimitError(
                f"“{label}” takes {spec.total_steps:,} steps, and at most {self.steps:,} are allowed here: "
                "take fewer epochs, fewer training examples or a larger batch size."
            )


def is_large(runs: int, seconds: float, settings: Settings) -> bool:
    """Whether a launch of this many runs that take this long together has to be confirmed."""
    return runs > settings.confirm_runs or seconds > 60 * settings.confirm_minutes


def _active_runs(store: Store, visitor: str) -> set[str]:
    """The digests of the active runs that `visitor` wants; for NOBODY those that no one wants."""
    query = select(runs.c.digest).where(runs.c.state.in_(ACTIVE))
    wanted = select(run_shares.c.run).where(run_shares.c.wanted)
    query = (
        query.where(runs.c.digest.not_in(wanted))
        if visitor == NOBODY
        else query.where(runs.c.digest.in_(wanted.where(run_shares.c.visitor == visitor)))
    )
    with store.engine.connect() as connection:
        return set(connection.scalars(query))


def _runs_text(number: int) -> str:
    return f"{number:,} run{'' if number == 1 else 's'}"
