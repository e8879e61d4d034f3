"""Groups: runs launched together under a name.

The runs of a group are ordinary runs: they are stopped and deleted by their digests, and continued by launching the
group again. They wait behind all runs that were launched singly.
"""

from collections.abc import Iterable

from sqlalchemy import select

from bnlab.runs.run import ACTIVE, TRAINED, Run, is_readable_spec
from bnlab.runs.schema import groups, recordings, runs
from bnlab.runs.shares import NO_VISITOR
from bnlab.runs.store import Labelled, Store


def launch_group(store: Store, name: str, specs: Labelled, owner: str, visitor: str = NO_VISITOR) -> list[Run]:
    """Queue specs with their labels as the group `name`, or attach to their runs; returns all of the group, in order.

    Completed and diverged runs do not change, stopped and failed ones continue, recorded ones are trained here.
    Launched under the same name again, other specs join the group. A run waits with its group unless it is active
    already because it was launched singly; once it is, it no longer waits with its groups.
    """
    if not name:
        raise ValueError("a group has a name")
    store.launch_runs(specs, owner, name, visitor)
    return group_runs(store, name)


def group_runs(store: Store, name: str) -> list[Run]:
    """The runs of a group in the order they were launched; empty if there is no such group."""
    query = select(groups.c.run).where(groups.c.name == name).order_by(groups.c.place)
    with store.engine.connect() as connection:
        digests = list(connection.scalars(query))
    members = {run.digest: run for run in store.runs(digests)}
    return [members[digest] for digest in digests if digest in members]


def unfinished_groups(store: Store) -> list[str]:
    """The names of the groups with an active run, in alphabetical order."""
    query = select(groups.c.name).join(runs).where(runs.c.state.in_(ACTIVE)).distinct().order_by(groups.c.name)
    with store.engine.connect() as connection:
        return list(connection.scalars(query))


def queue_groups(store: Store) -> dict[str, str]:
    """The group with which each active run is queued, by digest; runs that were launched singly are left out."""
    query = select(groups.c.run, groups.c.name).join(runs).where(runs.c.state.in_(ACTIVE), groups.c.single.is_(False))
    with store.engine.connect() as connection:
        return {row.run: row.name for row in connection.execute(query.order_by(groups.c.name.desc()))}


def launched_singly(store: Store, digests: Iterable[str]) -> set[str]:
    """Those of `digests` whose runs are active because they were launched singly."""
    in_groups = select(groups.c.run).where(groups.c.single.is_(False))
    chosen = runs.c.digest.in_(list(digests)) & runs.c.state.in_(ACTIVE) & runs.c.digest.not_in(in_groups)
    with store.engine.connect() as connection:
        return set(connection.scalars(select(runs.c.digest).where(chosen)))


def ended_runs(store: Store) -> set[str]:
    """The digests of all readable runs that were trained to their end on this store, not shipped with bnlab."""
    trained = runs.c.state.in_(TRAINED) & runs.c.digest.not_in(select(recordings.c.run))
    with store.engine.connect() as connection:
        rows = connection.execute(select(runs.c.digest, runs.c.spec).where(trained))
        return {digest for digest, spec in rows if is_readable_spec(spec)}
