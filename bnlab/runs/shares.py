"""Who wants runs: launching a run takes a share in it, and stopping it withdraws one's own share.

A run is stopped when the last share in it is withdrawn. Shares are kept after that: they say who launched the run.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from bnlab.runs.run import ACTIVE
from bnlab.runs.schema import run_shares, runs

NO_VISITOR = ""
"""The visitor of whoever is not known, such as a browser without cookies. It has no shares: its runs are anybody's."""
COMMAND_LINE = "command line"
"""The visitor of runs that are launched in a terminal."""
PROTECTED_DAYS = 1.0
"""How long after their last commit runs are kept for those who launched them, where there is no teacher."""


@dataclass(frozen=True)
class Shares:
    """The visitors with a share in one run: those who want it, and those who have withdrawn their share."""

    wanted_by: frozenset[str] = frozenset()
    withdrawn_by: frozenset[str] = frozenset()

    def others(self, visitor: str) -> int:
        """How many other visitors want the run; the command line does not count."""
        return len(self.wanted_by - {visitor, COMMAND_LINE})

    def may_stop(self, visitor: str) -> bool:
        """Whether Stop has an effect: there is an own share to withdraw, or no visitor wants the run."""
        return visitor in self.wanted_by or not self.others(visitor)

    def why_not_change(self, visitor: str, *, has_teacher: bool, days_idle: float) -> str:
        """Why `visitor` may not delete and rename the run, one sentence; empty if that is allowed.

        Runs belong to those who launched them, and as long as another visitor wants one it stays as it is. Without a
        teacher, who may change everything, this ends PROTECTED_DAYS after the run's last commit, so that a person who
        uses bnlab alone, in several browsers, is not locked out.
        """
        if not has_teacher and days_idle >= PROTECTED_DAYS:
            return ""
        if others := self.others(visitor):
            also = "also " if visitor in self.wanted_by else ""
            who = "Another visitor has" if others == 1 else f"{others} other visitors have"
            until = "a teacher can change it" if has_teacher else "it can be changed from a day after its training"
            return f"{who} {also}launched it; {until}."
        if has_teacher and self.launched_by and visitor not in self.launched_by:
            return "Another visitor has launched it; a teacher can change it."
        return ""

    @property
    def launched_by(self) -> frozenset[str]:
        """All visitors who have launched the run; the command line is not one."""
        return (self.wanted_by | self.withdrawn_by) - {COMMAND_LINE}


NO_SHARES = Shares()


def read_shares(connection: Connection, digests: Iterable[str] | None = None) -> dict[str, Shares]:
    """The shares in the runs of `digests`, or in all active runs; runs without a share are left out."""
    query = select(run_shares.c.run, run_shares.c.visitor, run_shares.c.wanted)
    if digests is None:
        query = query.join(runs).where(runs.c.state.in_(ACTIVE))
    else:
        query = query.where(run_shares.c.run.in_(list(digests)))
    visitors: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
    for row in connection.execute(query):
        visitors[row.run, bool(row.wanted)].add(row.visitor)
    return {
        run: Shares(frozenset(visitors.get((run, True), ())), frozenset(visitors.get((run, False), ())))
        for run in {run for run, _ in visitors}
    }


def add_shares(connection: Connection, digests: Collection[str], visitor: str) -> None:
    """Make `visitor` want the runs; NO_VISITOR gets no shares."""
    if not visitor or not digests:
        return
    wanted = {"wanted": True, "launched_at": time.time()}
    chosen = (run_shares.c.visitor == visitor) & run_shares.c.run.in_(list(digests))
    connection.execute(update(run_shares).where(chosen).values(wanted))
    known = set(connection.scalars(select(run_shares.c.run).where(chosen)))
    rows = [{"run": digest, "visitor": visitor} | wanted for digest in digests if digest not in known]
    if rows:
        connection.execute(insert(run_shares), rows)


def withdraw_shares(connection: Connection, digests: Collection[str], visitor: str | None = None) -> list[str]:
    """Withdraw the shares of `visitor` in the runs, or all shares; returns the runs that have none left.

    A run in which `visitor` had no share is among them if no other visitor wants it.
    """
    before = read_shares(connection, digests)
    withdraw = update(run_shares).where(run_shares.c.run.in_(list(digests))).values(wanted=False)
    connection.execute(withdraw if visitor is None else withdraw.where(run_shares.c.visitor == visitor))
    if visitor is None:
        return list(digests)
    unwanted = []
    for digest in digests:
        shares = before.get(digest, NO_SHARES)
        had_share = visitor in shares.wanted_by
        if not (shares.wanted_by - {visitor} if had_share else shares.others(visitor)):
            unwanted.append(digest)
    return unwanted
