"""The store: which runs there are, in which state, and who looks after them."""

import time
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete, exists, or_, select, update

from bnlab.runs.database import open_database
from bnlab.runs.launching import LEASE_SECONDS, launch_runs
from bnlab.runs.run import Run, run_of
from bnlab.runs.schema import groups, recordings, runs
from bnlab.runs.states import ACTIVE, RunState
from bnlab.spec.run_spec import RunSpec

_ALL = select(runs, recordings.c.origin).select_from(runs.outerjoin(recordings))
_ONLY_IN_GROUPS = exists().where(groups.c.run == runs.c.digest, groups.c.single.is_(False))


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
        """Queue `spec`, or attach to its run.

        A stopped or failed one goes on from its checkpoint; one that came with bnlab makes room for one of our own.
        """
        launch_runs(self.engine, [(spec, label)], owner)
        return self.run(spec.digest)

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

    def queue(self) -> list[str]:
        """The digests of all runs that wait for a worker, the next one first: those of groups after the others."""
        query = select(runs.c.digest).where(runs.c.state == RunState.QUEUED)
        with self.engine.connect() as connection:
            return list(connection.scalars(query.order_by(_ONLY_IN_GROUPS, runs.c.queued_at, runs.c.created_at)))

    def request_stop(self, digests: Iterable[str]) -> None:
        """Ask for runs to be stopped; those that no lab looks after are stopped at once."""
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
