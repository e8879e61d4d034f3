"""The store: all runs with their states, and the leases that schedulers hold on them."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from sqlalchemy import URL, ColumnElement, Connection, Select, delete, func, insert, or_, select, update

from bnlab.runs.annotations import check_note, check_tags, join_tags, split_tags
from bnlab.runs.database import BUSY_SECONDS, open_database
from bnlab.runs.errors import ConflictError, StoreError
from bnlab.runs.run import (
    ACTIVE,
    Run,
    RunState,
    UnreadableRun,
    runs_from_rows,
    unreadable_from_rows,
    unreadable_text,
)
from bnlab.runs.schema import groups, recordings, runs, secrets
from bnlab.runs.shares import NO_VISITOR, Shares, add_shares, read_shares, withdraw_shares
from bnlab.specs.run_spec import RunSpec

LEASE_SECONDS = 30.0  # starting the workers takes a third of it, and twice that on a busy machine
"""After how long without a renewal another scheduler may take over a scheduler's runs."""
QUEUED_APART_SECONDS = 1e-6
"""Difference of `queued_at` between runs that are launched together; it keeps them in order."""
WRITE_CHECK = "written"
"""The name of the row of `secrets` that `Store.check_writable` writes."""
_SELECT_RUNS = select(runs, recordings.c.origin).select_from(runs.outerjoin(recordings))

Labelled = Sequence[tuple[RunSpec, str]]
"""Specs with the labels of their runs."""


class Store:
    """All runs ever launched on one database. Safe to use from several threads and processes.

    As a context manager it closes its connections at the end of the block.

    Raises:
        bnlab.runs.errors.StoreError: the database cannot be opened, and from any method: read or written.
    """

    def __init__(self, url: str, busy_seconds: float = BUSY_SECONDS) -> None:
        """Open the store at a SQLAlchemy URL; missing tables are created. For `busy_seconds` see `open_database`."""
        self.engine = open_database(url, busy_seconds)

    @property
    def url(self) -> str:
        """The URL without its password, which workers have from their own settings: arguments of tasks are logged."""
        url = self.engine.url.difference_update_query(["password"])  # where libpq takes it too
        without = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
        return _url_text(without)

    @property
    def secret_url(self) -> str:
        """The whole URL."""
        return _url_text(self.engine.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.engine.dispose()

    def launch(self, spec: RunSpec, label: str, owner: str) -> Run:
        """Queue `spec`, or attach to its run; see `launch_runs`."""
        return self.launch_runs([(spec, label)], owner)[0]

    def launch_runs(self, specs: Labelled, owner: str, group: str = "", visitor: str = NO_VISITOR) -> list[Run]:
        """Queue specs with their labels, or attach to their runs, as members of `group` or by default singly.

        A stopped or failed run goes on from its checkpoint; a recorded one is replaced by a new run. `visitor` gets a
        share in each of them.

        Returns:
            The runs, one for each distinct spec in the order of `specs`.

        Raises:
            bnlab.runs.errors.StoreError: one of the runs exists and is not readable; nothing is launched.
        """
        distinct: dict[str, tuple[RunSpec, str]] = {}
        for spec, label in specs:
            distinct.setdefault(spec.digest, (spec, label))
        try:
            with self.engine.begin() as connection:
                _launch(connection, distinct, owner, group, visitor)
        except ConflictError:  # another process has just launched one of them, so now it exists
            with self.engine.begin() as connection:
                _launch(connection, distinct, owner, group, visitor)
        launched = {run.digest: run for run in self.runs(distinct)}
        return [launched[digest] for digest in distinct if digest in launched]

    def run(self, digest: str) -> Run:
        """The run with that digest.

        Raises:
            KeyError: there is none.
        """
        matches = self.runs([digest])
        if not matches:
            raise KeyError(digest)
        return matches[0]

    def runs(self, digests: Iterable[str] | None = None) -> list[Run]:
        """The runs of `digests` that exist, or all of them, the oldest first; without those that are not readable."""
        with self.engine.connect() as connection:
            return runs_from_rows(connection.execute(_select_runs(digests)))

    def unreadable_runs(self, digests: Iterable[str] | None = None) -> list[UnreadableRun]:
        """Those of `digests`, or of all runs, that this version of bnlab cannot read, the oldest first.

        They can be stopped and deleted.
        """
        with self.engine.connect() as connection:
            return unreadable_from_rows(connection.execute(_select_runs(digests)))

    def existing(self, digests: Iterable[str]) -> set[str]:
        """Those of `digests` that have a run, readable or not."""
        with self.engine.connect() as connection:
            return set(connection.scalars(select(runs.c.digest).where(runs.c.digest.in_(list(digests)))))

    def find(self, specs: Iterable[RunSpec]) -> dict[str, Run]:
        """The runs of `specs` that exist, by digest."""
        return {run.digest: run for run in self.runs(spec.digest for spec in specs)}

    def active_runs(self) -> list[Run]:
        """The runs that wait or train: QUEUED ones in the order they were queued, then RUNNING ones."""
        query = _SELECT_RUNS.where(runs.c.state.in_(ACTIVE))
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(runs.c.queued_at, runs.c.created_at))
            return sorted(runs_from_rows(rows), key=lambda run: run.state is not RunState.QUEUED)

    def waiting(self) -> list[str]:
        """The digests of all runs that wait for a worker, in the order they were queued."""
        query = select(runs.c.digest).where(runs.c.state == RunState.QUEUED)
        with self.engine.connect() as connection:
            return list(connection.scalars(query.order_by(runs.c.queued_at, runs.c.created_at)))

    def count_runs(self) -> dict[str, int]:
        """How many runs there are of each state, by the state's value."""
        query = select(runs.c.state, func.count()).group_by(runs.c.state)
        with self.engine.connect() as connection:
            return {str(state): number for state, number in connection.execute(query)}

    def check_writable(self) -> None:
        """Write something, which raises a StoreError where runs could not be written."""
        row = {"name": WRITE_CHECK, "value": str(time.time())}
        with suppress(ConflictError), self.engine.begin() as connection:  # another app may just have inserted it
            if not connection.execute(update(secrets).where(secrets.c.name == WRITE_CHECK).values(row)).rowcount:
                connection.execute(insert(secrets).values(row))

    def shares(self, digests: Iterable[str] | None = None) -> dict[str, Shares]:
        """The shares in the runs of `digests`, or in all active runs; runs without a share are left out."""
        with self.engine.connect() as connection:
            return read_shares(connection, digests)

    def request_stop(self, digests: Iterable[str], visitor: str | None = None) -> None:
        """Withdraw the shares of `visitor`, or all shares, and request that runs stop that have none left.

        Runs on which no scheduler holds a lease are stopped at once.
        """
        with self.engine.begin() as connection:
            _request_stop(connection, digests, visitor)

    def delete(self, digests: Iterable[str]) -> None:
        """Remove finished runs with all their records."""
        chosen = runs.c.digest.in_(list(digests)) & runs.c.state.not_in(ACTIVE)
        with self.engine.begin() as connection:
            connection.execute(delete(runs).where(chosen))

    def withdraw(self, digests: Iterable[str], visitor: str | None = None) -> None:
        """Like `request_stop`, but removes runs without a step; a slice of them that is running is superseded."""
        with self.engine.begin() as connection:
            unwanted = _request_stop(connection, digests, visitor)
            connection.execute(delete(runs).where(runs.c.digest.in_(unwanted), runs.c.step == 0))

    def rename(self, digest: str, label: str) -> None:
        """Change the label of a run."""
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(runs.c.digest == digest).values(label=label))

    def annotate(self, digest: str, note: str, tags: Iterable[str]) -> None:
        """Replace the note and the tags of a run.

        Raises:
            bnlab.runs.annotations.AnnotationError: they are too long, or not plain text.
        """
        values = {"note": check_note(note), "tags": join_tags(check_tags(tags))}
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(runs.c.digest == digest).values(values))

    def change_tags(self, digests: Iterable[str], add: Iterable[str], remove: Iterable[str]) -> None:
        """Give runs the tags `add`, and take the tags `remove` from them.

        Raises:
            bnlab.runs.annotations.AnnotationError: one of the runs would have too many tags, or a tag is not valid;
                nothing is changed.
        """
        removed = set(remove)
        with self.engine.begin() as connection:
            locked = _lock_runs(connection, digests)
            rows = connection.execute(select(runs.c.digest, runs.c.tags).where(runs.c.digest.in_(locked))).all()
            for digest, tags in rows:
                changed = check_tags((*(tag for tag in split_tags(tags) if tag not in removed), *add))
                connection.execute(update(runs).where(runs.c.digest == digest).values(tags=join_tags(changed)))

    def acquire(self, owner: str, dead: Sequence[str] = ()) -> list[Run]:
        """Renew `owner`'s lease and take over active runs whose lease has expired or whose owner is `dead`.

        Runs that are not readable are left to the version of bnlab that wrote them.

        Returns:
            All active runs that `owner` now holds, in the order they were queued.
        """
        now = time.time()
        acquirable: ColumnElement[bool] = or_(runs.c.owner == owner, runs.c.owner.in_(dead), runs.c.lease_until < now)
        query = _SELECT_RUNS.where(runs.c.state.in_(ACTIVE))
        with self.engine.connect() as connection:
            unreadable = [run.digest for run in unreadable_from_rows(connection.execute(query))]
        with self.engine.begin() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.state.in_(ACTIVE), acquirable, runs.c.digest.not_in(unreadable))
                .values(owner=owner, lease_until=now + LEASE_SECONDS)
            )
        query = query.where(runs.c.owner == owner).order_by(runs.c.queued_at, runs.c.created_at)
        with self.engine.connect() as connection:
            return runs_from_rows(connection.execute(query))

    def renew(self, owner: str) -> None:
        """Renew `owner`'s lease on its active runs."""
        with self.engine.begin() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.owner == owner, runs.c.state.in_(ACTIVE))
                .values(lease_until=time.time() + LEASE_SECONDS)
            )

    def owners(self) -> set[str]:
        """The owners of active runs."""
        query = select(runs.c.owner).where(runs.c.state.in_(ACTIVE)).distinct()
        with self.engine.connect() as connection:
            return set(connection.scalars(query))

    def leaseholders(self) -> set[str]:
        """The owners of active runs whose leases have not expired: schedulers that are at work."""
        query = select(runs.c.owner).where(runs.c.state.in_(ACTIVE), runs.c.lease_until > time.time()).distinct()
        with self.engine.connect() as connection:
            return set(connection.scalars(query)) - {""}

    def mark_shared(self, digests: Iterable[str]) -> None:
        """Record that other work was done on the machine while these runs were trained."""
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(runs.c.digest.in_(list(digests))).values(shared=True))

    def release(self, owner: str) -> None:
        """End `owner`'s lease on its active runs, so that any other scheduler can take them over at once.

        Runs whose stop is requested are stopped: no scheduler is left that would see the request.
        """
        held = (runs.c.owner == owner) & runs.c.state.in_(ACTIVE)
        stopped = {"state": RunState.STOPPED, "updated_at": time.time(), "fence": runs.c.fence + 1}
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(held, runs.c.stop_requested).values(stopped))
            connection.execute(update(runs).where(held).values(owner="", lease_until=0.0))

    def next_fence(self, digest: str, owner: str) -> int | None:
        """Increment and return the fence of a run, the number of its next slice; None if `owner` has lost the run.

        Only the slice with the latest fence may write.
        """
        owned = (runs.c.digest == digest) & (runs.c.owner == owner)
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(owned).values(fence=runs.c.fence + 1))
            return connection.scalar(select(runs.c.fence).where(owned))

    def finish(self, digest: str, owner: str, state: RunState, error: str = "") -> None:
        """End an active run of `owner` in `state`; a slice of it that is still running is superseded.

        It is stopped only while its stop is requested: it may just have been launched again.
        """
        owned = (runs.c.digest == digest) & (runs.c.owner == owner) & runs.c.state.in_(ACTIVE)
        if state is RunState.STOPPED:
            owned &= runs.c.stop_requested
        ended = {"state": state, "error": error, "updated_at": time.time(), "fence": runs.c.fence + 1}
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(owned).values(ended))


def _select_runs(digests: Iterable[str] | None) -> Select[Any]:
    """The rows of `digests`, or of all runs, the oldest first."""
    query = _SELECT_RUNS.order_by(runs.c.created_at, runs.c.digest)
    return query if digests is None else query.where(runs.c.digest.in_(list(digests)))


def _url_text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _request_stop(connection: Connection, digests: Iterable[str], visitor: str | None) -> list[str]:
    """Withdraw shares; returns the digests of the runs that have none left, which are to stop."""
    # The rows are locked first: who launches one of the runs at the same time wants it before or after this.
    locked = _lock_runs(connection, digests)
    unwanted = withdraw_shares(connection, locked, visitor)
    chosen = runs.c.digest.in_(unwanted) & runs.c.state.in_(ACTIVE)
    connection.execute(update(runs).where(chosen).values(stop_requested=True))
    unleased = chosen & (runs.c.lease_until < time.time())
    connection.execute(update(runs).where(unleased).values(state=RunState.STOPPED))
    return unwanted


def _lock_runs(connection: Connection, digests: Iterable[str]) -> list[str]:
    """Lock the rows of runs until the transaction ends, in one order for all; returns those that exist."""
    chosen = runs.c.digest.in_(list(digests))
    if connection.dialect.name == "sqlite":  # which locks the whole database, at the first write
        connection.execute(update(runs).where(chosen).values(owner=runs.c.owner))
    query = select(runs.c.digest).where(chosen).order_by(runs.c.digest).with_for_update()
    return list(connection.scalars(query))


def _launch(
    connection: Connection, specs: Mapping[str, tuple[RunSpec, str]], owner: str, group: str, visitor: str
) -> None:
    # The write comes first, so that SQLite takes its lock before the states are read.
    recorded = select(recordings.c.run).where(recordings.c.run.in_(specs))
    connection.execute(delete(runs).where(runs.c.digest.in_(recorded)))
    _lock_runs(connection, specs)
    existing = connection.execute(_SELECT_RUNS.where(runs.c.digest.in_(specs))).all()
    if unreadable := unreadable_from_rows(existing):
        raise StoreError(unreadable_text(unreadable))
    states = {run.digest: run.state for run in runs_from_rows(existing)}
    _queue(connection, specs, states, owner)
    add_shares(connection, specs, visitor)
    if group:
        _join(connection, group, specs, {digest for digest, state in states.items() if state in ACTIVE})
    else:
        connection.execute(update(groups).where(groups.c.run.in_(specs)).values(single=True))


def _queue(
    connection: Connection, specs: Mapping[str, tuple[RunSpec, str]], states: Mapping[str, RunState], owner: str
) -> None:
    """Insert new runs, queue stopped and failed ones again, and cancel requested stops of active ones."""
    now = time.time()
    queued = {"state": RunState.QUEUED, "error": "", "stop_requested": False}
    lease = {"owner": owner, "lease_until": now + LEASE_SECONDS}
    continued = [digest for digest, state in states.items() if state.can_continue()]
    connection.execute(update(runs).where(runs.c.digest.in_(continued)).values(queued | lease | {"queued_at": now}))
    withdraw_shares(connection, continued)  # of those who wanted them until they failed
    active = [digest for digest, state in states.items() if state in ACTIVE]
    connection.execute(update(runs).where(runs.c.digest.in_(active)).values(stop_requested=False))
    new_rows = [
        _new_row(spec, label, now + index * QUEUED_APART_SECONDS) | queued | lease
        for index, (spec, label) in enumerate(specs.values())
        if spec.digest not in states
    ]
    if new_rows:
        connection.execute(insert(runs), new_rows)


def _new_row(spec: RunSpec, label: str, now: float) -> dict[str, Any]:
    row = {"digest": spec.digest, "label": label, "spec": spec.model_dump_json(), "step": 0, "seconds": 0.0}
    times = {"created_at": now, "queued_at": now, "updated_at": now}
    return row | times | {"total_steps": spec.total_steps, "fence": 0, "shared": False}


def _join(connection: Connection, name: str, digests: Iterable[str], active: set[str]) -> None:
    """Add the runs to the group; those that were `active` because they had been launched singly remain single."""
    in_groups = select(groups.c.run).where(groups.c.run.in_(active), groups.c.single.is_(False))
    single = active - set(connection.scalars(in_groups))
    connection.execute(update(groups).where(groups.c.run.in_(set(digests) - single)).values(single=False))
    is_member = groups.c.name == name
    members = set(connection.scalars(select(groups.c.run).where(is_member)))
    first_position = 1 + (connection.scalar(select(func.max(groups.c.place)).where(is_member)) or 0)
    rows = [
        {"name": name, "run": digest, "place": position, "single": digest in single}
        for position, digest in enumerate((d for d in digests if d not in members), start=first_position)
    ]
    if rows:
        connection.execute(insert(groups), rows)
