"""Whose turn it is: runs take turns on the workers, each worker keeping to the runs it has already compiled."""

from collections.abc import Iterable


class Turns:
    """A queue of waiting runs, served first come first, with a memory of where each was last trained."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._waiting: list[str] = []
        self._place: dict[str, str] = {}

    @property
    def waiting(self) -> tuple[str, ...]:
        """The runs that wait, the next one first."""
        return tuple(self._waiting)

    def add(self, run: str) -> None:
        """Put a run at the end, unless it waits already."""
        if run not in self._waiting:
            self._waiting.append(run)

    def remove(self, run: str) -> None:
        """Take a run out of the queue if it is there."""
        if run in self._waiting:
            self._waiting.remove(run)

    def take(self, worker: str, workers: Iterable[str]) -> str | None:
        """The run that `worker` should train next: one of its own or a homeless one, else one of another's.

        A run's own worker has its program compiled and is worth waiting for, but no worker idles for it.
        """
        known = set(workers)
        homes = [(run, self._place.get(run)) for run in self._waiting]
        own = [run for run, home in homes if home == worker or home not in known]
        choice = next(iter(own or self._waiting), None)
        if choice is not None:
            self._waiting.remove(choice)
            self._place[choice] = worker
        return choice
