"""The order in which waiting runs are trained: fair between visitors, and aware of what workers have compiled."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bnlab.runs.groups import queue_groups
from bnlab.runs.shares import NO_SHARES, NO_VISITOR
from bnlab.runs.store import Store
from bnlab.specs.run_spec import MAX_PROGRAMS

NO_GROUP = ""
"""The group of a run that was launched singly."""


@dataclass(frozen=True)
class Waiting:
    """How a run waits: with a group, or with NO_GROUP singly, and for which visitors."""

    group: str = NO_GROUP
    visitors: frozenset[str] = frozenset([NO_VISITOR])


@dataclass(frozen=True)
class Turn:
    """A run that is trained next, and for whom: a visitor, and the group with which the run waits."""

    run: str
    visitor: str
    group: str


@dataclass
class LastServed:
    """When visitors and groups were served last: numbers, the larger the later; those never served are left out."""

    visitors: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    turns: int = 0

    def copy(self) -> "LastServed":
        """An independent copy."""
        return LastServed(dict(self.visitors), dict(self.groups), self.turns)

    def count(self, turn: Turn) -> None:
        """Make the turn's visitor and group those served last."""
        self.turns += 1
        self.visitors[turn.visitor] = self.turns
        if turn.group != NO_GROUP:
            self.groups[turn.group] = self.turns


def turns(waiting: Mapping[str, Waiting], served: LastServed) -> Iterator[Turn]:
    """The order in which waiting runs are trained.

    Single runs go first. Visitors take turns with one run each, the one served longest ago first, so that of n visitors
    each is served within n turns, however many runs the others have. Then groups do: visitors take turns, and at the
    turns of a visitor the groups with that visitor's runs. A run that several visitors want comes at the first turn of
    any of them.

    Args:
        waiting: the runs in the order they were queued.
        served: when visitors and groups were served last; not changed.
    """
    served = served.copy()
    for is_single in (True, False):
        tier = {run: entry for run, entry in waiting.items() if (entry.group == NO_GROUP) == is_single}
        yield from _tier_turns(tier, served)


def _tier_turns(waiting: Mapping[str, Waiting], served: LastServed) -> Iterator[Turn]:
    queues: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for run, entry in waiting.items():
        for visitor in entry.visitors:
            queues[visitor][entry.group].append(run)
    taken: set[str] = set()
    # Equally old visitors are ordered by their ids, which are random.
    visitors = sorted(queues, key=lambda visitor: (served.visitors.get(visitor, 0), visitor))
    while visitors:
        remaining = []
        for visitor in visitors:
            turn = _next_turn(visitor, queues[visitor], served, taken)
            if turn is not None:
                taken.add(turn.run)
                served.count(turn)
                remaining.append(visitor)
                yield turn
        visitors = remaining


def _next_turn(visitor: str, groups: dict[str, list[str]], served: LastServed, taken: set[str]) -> Turn | None:
    """The next run of a visitor that is not `taken`, of the group served longest ago; None if there is none."""
    for group in sorted(groups, key=lambda group: served.groups.get(group, 0)):
        queue = groups[group]
        while queue and queue[0] in taken:
            queue.pop(0)
        if queue:
            return Turn(queue.pop(0), visitor, group)
        del groups[group]
    return None


def read_queue(store: Store, served: LastServed) -> list[str]:
    """The digests of the runs of `store` that wait for a worker, the next one first; `served` as in `turns`."""
    entries = read_entries(store)
    return [turn.run for turn in turns({run: entries.get(run, Waiting()) for run in store.waiting()}, served)]


def read_entries(store: Store) -> dict[str, Waiting]:
    """How each active run waits, by digest; those launched singly and without a visitor are left out."""
    groups, shares = queue_groups(store), store.shares()
    return {
        run: Waiting(groups.get(run, NO_GROUP), shares.get(run, NO_SHARES).wanted_by or frozenset([NO_VISITOR]))
        for run in groups.keys() | shares.keys()
    }


class SchedulingPolicy:
    """The queue of waiting runs, and which programs each worker has compiled.

    Visitors take turns (see `turns`); the single runs of one visitor are served first come, first served. A worker may
    take a later run of the same visitor and group, where it has compiled the program.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._programs: dict[str, Hashable] = {}  # run -> its program
        self._compiled: dict[str, list[Hashable]] = {}  # worker -> programs, the one used last at the end
        self._last_worker: dict[str, str] = {}  # run -> the worker that trained it last
        self._served = LastServed()

    @property
    def waiting(self) -> tuple[str, ...]:
        """The waiting runs in the order they were added."""
        return tuple(self._waiting)

    @property
    def served(self) -> LastServed:
        """When visitors and groups were served last."""
        return self._served.copy()

    def add(self, run: str, program: Hashable, entry: Waiting = Waiting()) -> None:
        """Append a run; a run that waits already keeps its position, even if its group or visitors have changed."""
        self._waiting[run] = entry
        self._programs[run] = program

    def remove(self, run: str) -> None:
        """Remove a run if it waits."""
        self._waiting.pop(run, None)
        self._programs.pop(run, None)

    def take(self, worker: str, workers: Iterable[str]) -> str | None:
        """Remove and return the run that `worker` should train next; None if no run waits.

        Runs whose program another of `workers` has compiled are left to it, unless `worker` would have to idle.
        """
        turn = next(turns(self._waiting, self._served), None)
        if turn is None:
            return None
        programs = {
            run: self._programs[run]
            for run, entry in self._waiting.items()
            if entry.group == turn.group and turn.visitor in entry.visitors
        }
        run = self._choose(programs, worker, set(workers) - {worker}, turn.group)
        self._remember(worker, programs[run])
        self.remove(run)
        self._last_worker[run] = worker
        self._served.count(Turn(run, turn.visitor, turn.group))
        return run

    def _choose(self, programs: Mapping[str, Hashable], worker: str, others: set[str], group: str) -> str:
        """The run for `worker` among the keys of `programs`, which all wait with `group`."""
        compiled = self._compiled.get(worker, [])
        compiled_elsewhere = {program for other in others for program in self._compiled.get(other, ())}
        fitting = [run for run, program in programs.items() if program in compiled or program not in compiled_elsewhere]
        preferences = [fitting, list(programs)]
        if group != NO_GROUP:
            # Runs of a group may overtake each other: a run is finished before the next is begun, and the runs of one
            # program before those of another.
            begun = [run for run in programs if self._last_worker.get(run) == worker]
            same_program = [run for run, program in programs.items() if program in compiled]
            preferences = [begun, same_program, *preferences]
        return next(runs[0] for runs in preferences if runs)

    def _remember(self, worker: str, program: Hashable) -> None:
        others = [compiled for compiled in self._compiled.get(worker, []) if compiled != program]
        self._compiled[worker] = [*others, program][-MAX_PROGRAMS:]
