"""Launching: specs become waiting runs, all of them in one transaction."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bnlab.runs.schema import groups, recordings, runs
from bnlab.runs.states import ACTIVE, RunState
from bnlab.spec.run_spec import RunSpec

LEASE_SECONDS = 30.0  # starting the workers takes a third of it, and twice that on a busy machine
"""How long a lab that says nothing keeps its runs."""
APART_SECONDS = 1e-6
"""Between the times at which runs launched together are said to have been queued: it keeps them in order."""

Labelled = Sequence[tuple[RunSpec, str]]


def launch_runs(engine: Engine, specs: Labelled, owner: str, group: str = "") -> None:
    """Queue specs with their labels, or attach to their runs, as the group of that name or each by itself.

    A stopped or failed one goes on from its checkpoint; one that came with bnlab makes room for one of our own.
    """
    chosen: dict[str, tuple[RunSpec, str]] = {}
    for spec, label in specs:
        chosen.setdefault(spec.digest, (spec, label))
    try:
        with engine.begin() as connection:
            _launch(connection, chosen, owner, group)
    except IntegrityError:  # somebody else has launched one of them at this very moment: now it exists
        with engine.begin() as connection:
            _launch(connection, chosen, owner, group)


def _launch(connection: Connection, specs: Mapping[str, tuple[RunSpec, str]], owner: str, group: str) -> None:
    # Writing comes first, so that SQLite locks before it reads: nothing changes between the states and what they cause.
    came_along = select(recordings.c.run).where(recordings.c.run.in_(specs))
    connection.execute(delete(runs).where(runs.c.digest.in_(came_along)))
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
    """Queue what is new, continue what was stopped or has failed, and take back stops that nobody has seen yet."""
    now = time.time()
    queued = {"state": RunState.QUEUED, "error": "", "stop_requested": False}
    lease = {"owner": owner, "lease_until": now + LEASE_SECONDS}
    again = [digest for digest, state in states.items() if state.can_continue()]
    connection.execute(update(runs).where(runs.c.digest.in_(again)).values(queued | lease | {"queued_at": now}))
    active = [digest for digest, state in states.items() if state in ACTIVE]
    connection.execute(update(runs).where(runs.c.digest.in_(active)).values(stop_requested=False))
    fresh = [
        _described(spec, label, now + place * APART_SECONDS) | queued | lease
        for place, (spec, label) in enumerate(specs.values())
        if spec.digest not in states
    ]
    if fresh:
        connection.execute(insert(runs), fresh)


def _described(spec: RunSpec, label: str, now: float) -> dict[str, Any]:
    described = {"digest": spec.digest, "label": label, "spec": spec.model_dump_json(), "step": 0, "seconds": 0.0}
    times = {"created_at": now, "queued_at": now, "updated_at": now}
    return described | times | {"total_steps": spec.total_steps, "fence": 0}


def _join(connection: Connection, name: str, digests: Iterable[str], active: set[str]) -> None:
    """Make the runs members of the group; of those that were `active`, some may be wanted by themselves."""
    waiting = select(groups.c.run).where(groups.c.run.in_(active), groups.c.single.is_(False))
    single = active - set(connection.scalars(waiting))
    connection.execute(update(groups).where(groups.c.run.in_(set(digests) - single)).values(single=False))
    own = groups.c.name == name
    members = set(connection.scalars(select(groups.c.run).where(own)))
    first = 1 + (connection.scalar(select(func.max(groups.c.place)).where(own)) or 0)
    rows = [
        {"name": name, "run": digest, "place": place, "single": digest in single}
        for place, digest in enumerate((digest for digest in digests if digest not in members), start=first)
    ]
    if rows:
        connection.execute(insert(groups), rows)
