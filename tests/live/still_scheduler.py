"""A scheduler that trains nothing."""

from collections.abc import Collection
from typing import Any

from bnlab.claims.service import ClaimService
from bnlab.live.hub import Hub
from bnlab.live.reading import Reader
from bnlab.runs.activity import Activity, trained_elsewhere
from bnlab.runs.estimates import Place
from bnlab.runs.run import Run
from bnlab.runs.store import Store


class StillScheduler:
    """Counts how often its store is asked for."""

    problem = unreachable = ""
    workers = 0

    def __init__(self, store: Store) -> None:
        self._store, self.reads = store, 0

    @property
    def store(self) -> Store:
        self.reads += 1
        return self._store

    def queue(self) -> list[str]:
        return self._store.waiting()

    def places(self) -> dict[str, Place]:
        return {digest: Place(number) for number, digest in enumerate(self._store.waiting(), start=1)}

    def activity(self, runs: Collection[Run]) -> Activity:
        return Activity(trained_elsewhere(runs, owner=""))

    def __call__(self) -> Any:
        """Itself: what a hub asks for its scheduler."""
        return self


def hub_of(scheduler: StillScheduler) -> Hub:
    """A hub that reads this scheduler's store."""
    return Hub(scheduler, lambda: ClaimService(scheduler()))


def reader_of(store: Store) -> Reader:
    """A reader of `store`."""
    scheduler = StillScheduler(store)
    return Reader(scheduler, lambda: ClaimService(scheduler()))
