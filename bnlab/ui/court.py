"""The claims before this app's lab: which verdict stands, and what is being heard."""

import threading
from dataclasses import dataclass

from bnlab.claims.case import Case, open_case, read_case
from bnlab.claims.claim import Claim
from bnlab.claims.evidence import probes, trained_specs
from bnlab.claims.hearing import Hearing, Standing
from bnlab.claims.recorded import recorded_trials
from bnlab.claims.registry import CLAIMS
from bnlab.claims.trial import Trial, read_trial
from bnlab.runs.docket import entered
from bnlab.runs.lab import Lab


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


class Court:
    """What all sessions share. Trials are read once: as long as nothing was added to them."""

    def __init__(self, lab: Lab) -> None:
        """Nothing has been read."""
        self._lab = lab
        self._lock = threading.Lock()
        self._hearings: dict[str, Hearing] = {}
        self._trials: dict[str, tuple[object, Trial]] = {}

    def position(self, claim: Claim) -> Position:
        """Where `claim` stands now; goes on with a hearing that somebody asked for, be it before a restart."""
        if not needs_work(claim):
            return Position(read_trial(self._lab.store, open_case(claim)))
        waiting: tuple[Hearing, Standing] | None = None
        for case in self._cases(claim):
            hearing = self.hearing(case)
            standing = hearing.look()
            if standing.is_over:
                return Position(self._read(case, standing), *(waiting or ()))
            waiting = waiting or (hearing, standing)
        return Position(recorded_trials().get(claim.id), *(waiting or ()))

    def hearing(self, case: Case) -> Hearing:
        """The one hearing of a case."""
        with self._lock:
            return self._hearings.setdefault(case.name, Hearing(self._lab, case))

    def _cases(self, claim: Claim) -> list[Case]:
        """Those of `claim` that somebody asked for, the latest first."""
        cases = (read_case(name, CLAIMS) for name in entered(self._lab.store))
        return [case for case in cases if case is not None and case.claim is claim]

    def _read(self, case: Case, standing: Standing) -> Trial:
        stamp = tuple(run.updated_at for run in standing.runs)
        known = self._trials.get(case.name)
        if known is None or known[0] != stamp:
            known = self._trials[case.name] = (stamp, read_trial(self._lab.store, case))
        return known[1]


def needs_work(claim: Claim) -> bool:
    """Whether anything has to be trained or asked; what is only counted is known at once."""
    case = open_case(claim)
    return bool(trained_specs(case) or probes(case))
