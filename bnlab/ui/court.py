"""The claims before this app's lab: which verdict stands, and what is being heard."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bnlab.claims.case import Case, open_case, read_case
from bnlab.claims.claim import Claim, Counted
from bnlab.claims.evidence import every_condition
from bnlab.claims.hearing import Hearing, Standing
from bnlab.claims.recorded import recorded_trials
from bnlab.claims.registry import CLAIMS
from bnlab.claims.stock import Stock, read_stock
from bnlab.claims.trial import Trial, read_trial
from bnlab.runs.experiment_queue import queued
from bnlab.runs.lab import Lab
from bnlab.runs.run import Run


@dataclass(frozen=True)
class Position:
    """Where a claim stands: its latest verdict, and a hearing that goes on, with how far it has come."""

    trial: Trial | None
    hearing: Hearing | None = None
    standing: Standing | None = None

    @property
    def is_moving(self) -> bool:
        """Whether there will be more to see by itself."""
        return self.standing is not None and not self.standing.rests

    @property
    def is_held_here(self) -> bool:
        """Whether its verdict was measured here, and is no recording."""
        return self.trial is not None and not self.trial.origin


class Court:
    """What all sessions share. Trials are read once: as long as nothing was added to them."""

    def __init__(self, lab: Lab) -> None:
        """Nothing has been read."""
        self.lab = lab
        self._lock = threading.Lock()
        self._hearings: dict[str, Hearing] = {}
        self._trials: dict[str, tuple[object, Trial]] = {}

    def sit(self) -> "Sitting":
        """The claims as they stand now."""
        return Sitting(self)

    def hearing(self, case: Case) -> Hearing:
        """The one hearing of a case."""
        with self._lock:
            return self._hearings.setdefault(case.name, Hearing(self.lab, case))

    def read(self, case: Case, runs: Sequence[Run] = ()) -> Trial:
        """The trial of a case for which there is nothing left to do; it has trained `runs`."""
        stamp = tuple(run.updated_at for run in runs)
        known = self._trials.get(case.name)
        if known is None or known[0] != stamp:
            known = self._trials[case.name] = (stamp, read_trial(self.lab.store, case))
        return known[1]


class Sitting:
    """The claims as one page draws them: what it needs of the store is read once, when it is asked for first."""

    def __init__(self, court: Court) -> None:
        """Nothing has been read."""
        self.court = court
        self._positions: dict[str, Position] = {}

    def position(self, claim: Claim) -> Position:
        """Where `claim` stands; goes on with a hearing that somebody asked for, be it before a restart."""
        if claim.id not in self._positions:
            self._positions[claim.id] = self._look(claim)
        return self._positions[claim.id]

    @cached_property
    def stock(self) -> Stock:
        """What has been trained and answered here."""
        return read_stock(self.court.lab.store)

    def _look(self, claim: Claim) -> Position:
        if not needs_work(claim):
            return Position(self.court.read(open_case(claim)))
        waiting: tuple[Hearing, Standing] | None = None
        for case in self._cases:
            if case.claim is not claim:
                continue
            hearing = self.court.hearing(case)
            standing = hearing.look()
            if standing.is_over:
                return Position(self.court.read(case, standing.runs), *(waiting or ()))
            waiting = waiting or (hearing, standing)
        return Position(recorded_trials().get(claim.id), *(waiting or ()))

    @cached_property
    def _cases(self) -> list[Case]:
        """Those that somebody asked for, the latest first."""
        cases = (read_case(name, CLAIMS) for name in queued(self.court.lab.store))
        return [case for case in cases if case is not None]


def needs_work(claim: Claim) -> bool:
    """Whether anything has to be trained or asked; what is only counted is known at once."""
    return not all(isinstance(condition.measure.source, Counted) for condition in every_condition(claim))
