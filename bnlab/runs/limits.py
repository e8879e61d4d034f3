"""Limits of what visitors may launch, so that no one of them fills the queue or a worker's memory."""

from dataclasses import dataclass

from sqlalchemy import select

from bnlab.runs.config import Settings
from bnlab.runs.estimates import step_seconds, training_bytes
from bnlab.runs.run import ACTIVE
from bnlab.runs.schema import run_shares, runs
from bnlab.runs.shares import NO_VISITOR
from bnlab.runs.storage import stored_bytes
from bnlab.runs.store import Labelled, Store
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec


class LimitError(ValueError):
    """More was to be launched than the deployment allows; `str()` is one sentence that says what to do."""


@dataclass(frozen=True)
class Limits:
    """The largest number of active runs per visitor, of parameters per network and of steps per run.

    `memory_mb` and `step_seconds` are those of a run's training, as `bnlab.runs.estimates` estimates them; `store_mb`
    is the size of the store from which on nothing is launched.
    """

    queued_runs: int
    parameters: int
    steps: int
    memory_mb: int = 2_000
    step_seconds: float = 2.0
    store_mb: int = 20_000

    @classmethod
    def from_settings(cls, settings: Settings) -> "Limits":
        """The limits that the settings name."""
        return cls(
            settings.max_queued_runs,
            settings.max_parameters,
            settings.max_steps,
            settings.max_memory_mb,
            settings.max_step_seconds,
            settings.max_store_mb,
        )

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
        if new and (size := stored_bytes(store) / 1e6) > self.store_mb:
            raise LimitError(
                f"The store has {size:,.0f} MB, and runs are launched up to {self.store_mb:,}: delete runs or "
                "checkpoints on the Runs page."
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
        if (memory := training_bytes(spec) / 1e6) > self.memory_mb:
            raise LimitError(
                f"“{label}” would take about {memory:,.0f} MB of memory, and at most {self.memory_mb:,} are allowed "
                "here: take a smaller batch size, or fewer or narrower layers."
            )
        if (seconds := step_seconds(spec)) > self.step_seconds:
            raise LimitError(
                f"A step of “{label}” would take about {seconds:,.1f} s, and at most {self.step_seconds:g} are allowed "
                "here: take a smaller batch size, or fewer or narrower layers."
            )


def is_large(runs: int, seconds: float, settings: Settings) -> bool:
    """Whether a launch of this many runs that take this long together has to be confirmed."""
    return runs > settings.confirm_runs or seconds > 60 * settings.confirm_minutes


def _active_runs(store: Store, visitor: str) -> set[str]:
    """The digests of the active runs that `visitor` wants; for NO_VISITOR those that no one wants."""
    query = select(runs.c.digest).where(runs.c.state.in_(ACTIVE))
    wanted = select(run_shares.c.run).where(run_shares.c.wanted)
    query = (
        query.where(runs.c.digest.not_in(wanted))
        if visitor == NO_VISITOR
        else query.where(runs.c.digest.in_(wanted.where(run_shares.c.visitor == visitor)))
    )
    with store.engine.connect() as connection:
        return set(connection.scalars(query))


def _runs_text(number: int) -> str:
    return f"{number:,} run{'' if number == 1 else 's'}"
