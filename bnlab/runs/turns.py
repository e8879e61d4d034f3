"""Whose turn it is: single runs before groups, and each worker keeping to the programs it has already compiled."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from itertools import zip_longest

from bnlab.spec.structure import MOST_PROGRAMS

SINGLE = ""
"""The group of a run that was launched by itself."""


def queue_order(waiting: Mapping[str, str], served: Mapping[str, int]) -> list[str]:
    """The order in which runs are trained; `waiting` maps them, in the order they came, to their groups.

    Single runs go first. Then groups take turns with one run each, the one served longest ago first: `served` counts
    up. A worker may take a later run of the same group, or a later single run, where it has compiled the program.
    """
    single = [run for run, group in waiting.items() if group == SINGLE]
    members: defaultdict[str, list[str]] = defaultdict(list)
    for run, group in waiting.items():
        if group != SINGLE:
            members[group].append(run)
    in_turn = sorted(members, key=lambda group: served.get(group, 0))
    rounds = zip_longest(*(members[group] for group in in_turn))
    return single + [run for runs in rounds for run in runs if run is not None]


class Turns:
    """A queue of waiting runs, with a memory of what each worker has compiled.

    Single runs are served first come, first served. Groups wait until no single run does, and then take turns.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Hashable, str]] = {}  # run -> its program, its group
        self._compiled: dict[str, list[Hashable]] = {}  # worker -> programs, the one used last at the end
        self._last_worker: dict[str, str] = {}  # run -> the worker that trained it last
        self._served: dict[str, int] = {}  # group -> when it was last served
        self._takes = 0

    @property
    def waiting(self) -> tuple[str, ...]:
        """The runs that wait, in the order they came."""
        return tuple(self._waiting)

    def add(self, run: str, program: Hashable, group: str = SINGLE) -> None:
        """Put a run at the end; one that waits already keeps its place, even if it now belongs elsewhere."""
        self._waiting[run] = program, group

    def remove(self, run: str) -> None:
        """Take a run out of the queue if it is there."""
        self._waiting.pop(run, None)

    def take(self, worker: str, workers: Iterable[str]) -> str | None:
        """The run that `worker` should train next.

        A program that another worker has compiled is worth waiting for, but no worker idles for it.
        """
        order = queue_order({run: group for run, (_, group) in self._waiting.items()}, self._served)
        if not order:
            return None
        _, group = self._waiting[order[0]]
        members = {run: program for run, (program, of) in self._waiting.items() if of == group}
        choice = self._choose(members, worker, set(workers) - {worker}, group)
        program, _ = self._waiting.pop(choice)
        self._remember(worker, program)
        self._last_worker[choice] = worker
        self._takes += 1
        self._served[group] = self._takes
        return choice

    @property
    def served(self) -> dict[str, int]:
        """When each group was last served, in numbers that count up."""
        return dict(self._served)

    def _choose(self, runs: Mapping[str, Hashable], worker: str, others: set[str], group: str) -> str:
        mine = self._compiled.get(worker, [])
        elsewhere = {program for other in others for program in self._compiled.get(other, ())}
        fitting = [run for run, program in runs.items() if program in mine or program not in elsewhere]
        preferred = [fitting, list(runs)]
        if group != SINGLE:
            # Its runs may overtake each other: one is ended before the next begins, and one program's before another's.
            begun = [run for run in runs if self._last_worker.get(run) == worker]
            known = [run for run, program in runs.items() if program in mine]
            preferred = [begun, known, *preferred]
        return next(choices[0] for choices in preferred if choices)

    def _remember(self, worker: str, program: Hashable) -> None:
        others = [known for known in self._compiled.get(worker, []) if known != program]
        self._compiled[worker] = [*others, program][-MOST_PROGRAMS:]
