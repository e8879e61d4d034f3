"""Groups: runs launched together under a name, and how far all of them are.

The runs of a group are ordinary runs: they are stopped and deleted by their digests, and continued by launching the
group again. They wait behind all runs that somebody has launched one by one.
"""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from sqlalchemy import select

from bnlab.runs.run import ACTIVE, Run, RunState
from bnlab.runs.schema import groups, recordings, runs
from bnlab.runs.store import Labelled, Store
from bnlab.specs.run_spec import program_key

ENDED = (RunState.COMPLETED, RunState.DIVERGED)
TOGETHER_SECONDS = 1.0
MAX_OVERHEAD = 30.0
"""Seconds that training may take for a second of steps, a tiny run's most; in the rest of the time nobody trained."""
MIN_DONE = 0.05
"""The share of the work from which on there is a pace: before, it is the start of the workers that takes the time."""


def launch_group(store: Store, name: str, specs: Labelled, owner: str) -> list[Run]:
    """Queue specs with their labels as the group `name`, or attach to their runs; returns all of the group, in order.

    Runs that have ended are left as they are, stopped and failed ones go on, recorded ones are trained here. Launched
    under the same name again, other specs join the group. A run waits with its group unless it waits or trains already
    because somebody has launched it by itself; once somebody does, it no longer waits with its groups.
    """
    if not name:
        raise ValueError("a group has a name")
    store.launch_runs(specs, owner, name)
    return group_runs(store, name)


def group_runs(store: Store, name: str) -> list[Run]:
    """The runs of a group in the order they were launched; none if there is no such group."""
    query = select(groups.c.run).where(groups.c.name == name).order_by(groups.c.place)
    with store.engine.connect() as connection:
        order = list(connection.scalars(query))
    found = {run.digest: run for run in store.runs(order)}
    return [found[digest] for digest in order if digest in found]


def unfinished_groups(store: Store) -> list[str]:
    """The names of the groups of which a run waits or trains, in alphabetical order."""
    query = select(groups.c.name).join(runs).where(runs.c.state.in_(ACTIVE)).distinct().order_by(groups.c.name)
    with store.engine.connect() as connection:
        return list(connection.scalars(query))


def groups_behind(store: Store) -> dict[str, str]:
    """By digest, the group with which an active run takes its turns: those nobody has launched by itself."""
    query = select(groups.c.run, groups.c.name).join(runs).where(runs.c.state.in_(ACTIVE), groups.c.single.is_(False))
    with store.engine.connect() as connection:
        return {row.run: row.name for row in connection.execute(query.order_by(groups.c.name.desc()))}


def ended_runs(store: Store) -> set[str]:
    """The digests of all runs that were trained here to their end."""
    trained = runs.c.state.in_(ENDED) & runs.c.digest.not_in(select(recordings.c.run))
    with store.engine.connect() as connection:
        return set(connection.scalars(select(runs.c.digest).where(trained)))


def launched_alone(store: Store, digests: Iterable[str]) -> set[str]:
    """Those of `digests` that wait or train because somebody has launched them by themselves."""
    behind = select(groups.c.run).where(groups.c.single.is_(False))
    chosen = runs.c.digest.in_(list(digests)) & runs.c.state.in_(ACTIVE) & runs.c.digest.not_in(behind)
    with store.engine.connect() as connection:
        return set(connection.scalars(select(runs.c.digest).where(chosen)))


@dataclass(frozen=True)
class GroupProgress:
    """How far a group's runs are together.

    `done` of `total` runs have ended, `diverged` of them in a loss that is no number; `failed` and `stopped` ones can
    be continued; `waiting` ones have no worker yet. `share` is the fraction of the work that is done, `seconds_left`
    until the last run ends; None before a twentieth of it is done, and while nothing waits or trains.
    """

    done: int
    total: int
    diverged: int
    failed: int
    stopped: int
    waiting: int
    share: float
    seconds_left: float | None


def group_progress(members: Sequence[Run], now: float | None = None) -> GroupProgress:
    """How far `members` are, at `now` (this moment) in seconds since the epoch."""
    states = [run.state for run in members]
    works = _works(members)
    done = [work if run.state in ENDED else work * run.progress for run, work in zip(members, works, strict=True)]
    return GroupProgress(
        done=sum(state in ENDED for state in states),
        total=len(members),
        diverged=states.count(RunState.DIVERGED),
        failed=states.count(RunState.FAILED),
        stopped=states.count(RunState.STOPPED),
        waiting=states.count(RunState.QUEUED),
        share=math.fsum(done) / math.fsum(works) if members else 0.0,
        seconds_left=_seconds_left(members, works, time.time() if now is None else now),
    )


def _works(members: Sequence[Run]) -> list[float]:
    """The seconds that each run's steps take in all: at its own speed, that of runs like it, or all runs' mean."""
    speeds: dict[object, list[float]] = {}
    for run in members:
        if run.step:
            speeds.setdefault(_kind(run), []).append(run.seconds / run.step)
    usual = fmean([fmean(own) for own in speeds.values()]) if speeds else 1.0
    known = {kind: fmean(own) for kind, own in speeds.items()}
    return [run.total_steps * (known.get(_kind(run), usual) or usual or 1.0) for run in members]


def _kind(run: Run) -> object:
    return program_key(run.spec), run.spec.batch_size


def _seconds_left(members: Sequence[Run], works: Sequence[float], now: float) -> float | None:
    """At the pace of the runs queued last, which knows of the workers, the measuring and whoever goes before."""
    if not any(run.state in ACTIVE for run in members):
        return None
    begun = max(run.queued_at for run in members if run.state in ACTIVE) - TOGETHER_SECONDS
    latest = [(run, work) for run, work in zip(members, works, strict=True) if run.queued_at >= begun]
    done = math.fsum(work if run.state in ENDED else work * run.progress for run, work in latest)
    left = math.fsum(work * (1 - run.progress) for run, work in zip(members, works, strict=True) if run.state in ACTIVE)
    if done <= MIN_DONE * (done + left):
        return None
    trained = math.fsum(run.seconds for run, _ in latest)
    elapsed = min(now - min(run.queued_at for run, _ in latest), MAX_OVERHEAD * trained)
    return elapsed * left / done
