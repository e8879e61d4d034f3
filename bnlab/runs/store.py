"""The store: which runs there are, in which state, and who looks after them."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bnlab.runs.database import open_database
from bnlab.runs.run import ACTIVE, Run, RunState, run_of
from bnlab.runs.schema import groups, recordings, runs
from bnlab.specs.run_spec import RunSpec

LEASE_SECONDS = 30.0  # starting the workers takes a third of it, and twice that on a busy machine
"""How long a scheduler that does not renew its lease keeps its runs."""
QUEUED_APART_SECONDS = 1e-6
"""Between the times at which runs launched together are said to have been queued: it keeps them in order."""
_ALL = select(runs, recordings.c.origin).select_from(runs.outerjoin(recordings))

Labelled = Sequence[tuple[RunSpec, str]]
"""Specs, each with the label of its run."""


class Store:
    """All runs ever launched on one database. Safe to use from several threads and processes.

    Raises:
        bnlab.runs.database.StoreError: the database cannot be opened.
    """

    def __init__(self, url: str) -> None:
        """Open the store at a SQLAlchemy URL, with its tables made if they are missing."""
        self.url = url
        self.engine = open_database(url)

    def launch(self, spec: RunSpec, label: str, owner: str) -> Run:
        """Queue `spec`, or attach to its run; see `launch_runs`."""
        return self.launch_runs([(spec, label)], owner)[0]

    def launch_runs(self, specs: Labelled, owner: str, group: str = "") -> list[Run]:
        """Queue specs with their labels, or attach to their runs, as the group of that name or each by itself.

        A stopped or failed run goes on from its checkpoint; one that came with bnlab makes room for one of our own.

        Returns:
            The runs, one for each distinct spec in the given order.
        """
        distinct: dict[str, tuple[RunSpec, str]] = {}
        for spec, label in specs:
            distinct.setdefault(spec.digest, (spec, label))
        try:
            with self.engine.begin() as connection:
                _launch(connection, distinct, owner, group)
        except IntegrityError:  # another process has launched one of them at this very moment: now it exists
            with self.engine.begin() as connection:
                _launch(connection, distinct, owner, group)
        found = {run.digest: run for run in self.runs(distinct)}
        return [found[digest] for digest in distinct if digest in found]

    def run(self, digest: str) -> Run:
        """The run of that digest.

        Raises:
            KeyError: there is none.
        """
        found = self.runs([digest])
        if not found:
            raise KeyError(digest)
        return found[0]

    def runs(self, digests: Iterable[str] | None = None) -> list[Run]:
        """The runs of `digests` that exist, or all of them, the oldest first."""
        query = _ALL.order_by(runs.c.created_at, runs.c.digest)
        if digests is not None:
            query = query.where(runs.c.digest.in_(list(digests)))
        with self.engine.connect() as connection:
            return [run_of(row) for row in connection.execute(query)]

    def find(self, specs: Iterable[RunSpec]) -> dict[str, Run]:
        """The runs of `specs` that exist, by digest."""
        return {run.digest: run for run in self.runs(spec.digest for spec in specs)}

    def waiting(self) -> list[str]:
        """The digests of all runs that wait for a worker, in the order they were queued."""
        query = select(runs.c.digest).where(runs.c.state == RunState.QUEUED)
        with self.engine.connect() as connection:
            return list(connection.scalars(query.order_by(runs.c.queued_at, runs.c.created_at)))

    def request_stop(self, digests: Iterable[str]) -> None:
        """Ask for runs to be stopped; those that no scheduler looks after are stopped at once."""
        chosen = runs.c.digest.in_(list(digests)) & runs.c.state.in_(ACTIVE)
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(chosen).values(stop_requested=True))
            alone = chosen & (runs.c.lease_until < time.time())
            connection.execute(update(runs).where(alone).values(state=RunState.STOPPED))

    def delete(self, digests: Iterable[str]) -> None:
        """Remove finished runs with everything recorded of them."""
        chosen = runs.c.digest.in_(list(digests)) & runs.c.state.not_in(ACTIVE)
        with self.engine.begin() as connection:
            connection.execute(delete(runs).where(chosen))

    def withdraw(self, digests: Iterable[str]) -> None:
        """Ask for runs to be stopped, and remove those without a step: a worker that has just begun one lets it go."""
        chosen = list(digests)
        with self.engine.begin() as connection:
            connection.execute(delete(runs).where(runs.c.digest.in_(chosen), runs.c.step == 0))
        self.request_stop(chosen)

    def rename(self, digest: str, label: str) -> None:
        """Give a run another name."""
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(runs.c.digest == digest).values(label=label))

    def claim(self, owner: str, dead: Sequence[str] = ()) -> list[Run]:
        """Renew `owner`'s lease and take over active runs whose lease has run out or whose owner is `dead`.

        Returns all active runs that `owner` now looks after, in the order they were queued.
        """
        now = time.time()
        abandoned: ColumnElement[bool] = or_(runs.c.owner == owner, runs.c.owner.in_(dead), runs.c.lease_until < now)
        with self.engine.begin() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.state.in_(ACTIVE), abandoned)
                .values(owner=owner, lease_until=now + LEASE_SECONDS)
            )
        query = _ALL.where(runs.c.state.in_(ACTIVE), runs.c.owner == owner)
        with self.engine.connect() as connection:
            return [run_of(row) for row in connection.execute(query.order_by(runs.c.queued_at, runs.c.created_at))]

    def owners(self) -> set[str]:
        """The labs that active runs belong to."""
        query = select(runs.c.owner).where(runs.c.state.in_(ACTIVE)).distinct()
        with self.engine.connect() as connection:
            return set(connection.scalars(query))

    def release(self, owner: str) -> None:
        """Let go of everything `owner` looks after, for any other lab to take over at once."""
        with self.engine.begin() as connection:
            connection.execute(
                update(runs).where(runs.c.owner == owner, runs.c.state.in_(ACTIVE)).values(owner="", lease_until=0.0)
            )

    def next_fence(self, digest: str, owner: str) -> int | None:
        """The number of the slice about to be handed out; None if `owner` has lost the run."""
        mine = (runs.c.digest == digest) & (runs.c.owner == owner)
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(mine).values(fence=runs.c.fence + 1))
            return connection.scalar(select(runs.c.fence).where(mine))

    def finish(self, digest: str, owner: str, state: RunState, error: str = "") -> None:
        """End a run of `owner` that no worker is training."""
        mine = (runs.c.digest == digest) & (runs.c.owner == owner) & runs.c.state.in_(ACTIVE)
        ended = {"state": state, "error": error, "updated_at": time.time(), "fence": runs.c.fence + 1}
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(mine).values(ended))


def _launch(connection: Connection, specs: Mapping[str, tuple[RunSpec, str]], owner: str, group: str) -> None:
    # Writing comes first, so that SQLite locks before it reads: nothing changes between the states and what they cause.
    shipped = select(recordings.c.run).where(recordings.c.run.in_(specs))
    connection.execute(delete(runs).where(runs.c.digest.in_(shipped)))
    found = connection.execute(select(runs.c.digest, runs.c.state).where(runs.c.digest.in_(specs)))
    states = {row.digest: RunState(row.state) for row in found}
    _queue(connection, specs, states, owner)
    if group:
        _join(connection, group, specs, {digest for digest, state in states.items() if state in ACTIVE})
    else:
        connection.execute(update(groups).where(groups.c.run.in_(specs)).values(single=True))


def _queue(
    connection: Connection, specs: Mapping[str, tuple[RunSpec, str]], states: Mapping[str, RunState], owner: str
) -> None:
    """Queue new runs, continue stopped and failed ones, and take back stops that no worker has seen yet."""
    now = time.time()
    queued = {"state": RunState.QUEUED, "error": "", "stop_requested": False}
    lease = {"owner": owner, "lease_until": now + LEASE_SECONDS}
    again = [digest for digest, state in states.items() if state.can_continue()]
    connection.execute(update(runs).where(runs.c.digest.in_(again)).values(queued | lease | {"queued_at": now}))
    active = [digest for digest, state in states.items() if state in ACTIVE]
    connection.execute(update(runs).where(runs.c.digest.in_(active)).values(stop_requested=False))
    fresh = [
        _new_row(spec, label, now + index * QUEUED_APART_SECONDS) | queued | lease
        for index, (spec, label) in enumerate(specs.values())
        if spec.digest not in states
    ]
    if fresh:
        connection.execute(insert(runs), fresh)


def _new_row(spec: RunSpec, label: str, now: float) -> dict[str, Any]:
    row = {"digest": spec.digest, "label": label, "spec": spec.model_dump_json(), "step": 0, "seconds": 0.0}
    times = {"created_at": now, "queued_at": now, "updated_at": now}
    return row | times | {"total_steps": spec.total_steps, "fence": 0}


def _join(connection: Connection, name: str, digests: Iterable[str], active: set[str]) -> None:
    """Make the runs members of the group; of those that were `active`, some may be wanted by themselves."""
    waiting = select(groups.c.run).where(groups.c.run.in_(active), groups.c.single.is_(False))
    single = active - set(connection.scalars(waiting))
    connection.execute(update(groups).where(groups.c.run.in_(set(digests) - single)).values(single=False))
    of_group = groups.c.name == name
    members = set(connection.scalars(select(groups.c.run).where(of_group)))
    first = 1 + (connection.scalar(select(func.max(groups.c.place)).where(of_group)) or 0)
    rows = [
        {"name": name, "run": digest, "place": place, "single": digest in single}
        for place, digest in enumerate((digest for digest in digests if digest not in members), start=first)
    ]
    if rows:
        connection.execute(insert(groups), rows)
