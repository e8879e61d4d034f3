"""Every step's loss and accuracy of the runs somebody watches, kept in memory and read on from where it ends."""

import threading
from collections import OrderedDict

import numpy as np

from bnlab.runs.frames import Arrays, read_steps
from bnlab.runs.run import Run
from bnlab.runs.store import Store

MOST_STEPS = 20_000_000  # of all curves together: 320 MB


class StepCurves:
    """Of one store; for several threads. The curves not asked for longest are forgotten first."""

    def __init__(self, store: Store) -> None:
        """Nothing is read yet."""
        self._store = store
        self._kept: OrderedDict[tuple[str, float], Arrays] = OrderedDict()
        self._lock = threading.Lock()

    def columns(self, run: Run) -> Arrays:
        """The run's steps as `bnlab.runs.frames.read_steps` gives them, up to now."""
        key = run.digest, run.created_at  # a run deleted and made anew is another one
        with self._lock:
            known = self._kept.get(key)
            if known is None or _length(known) < run.step:
                known = self._read_on(run, known)
            self._kept[key] = known
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(map(_length, self._kept.values())) > MOST_STEPS:
                self._kept.popitem(last=False)
        return known

    def _read_on(self, run: Run, known: Arrays | None) -> Arrays:
        if known is None:
            return read_steps(self._store, run.digest)
        new = read_steps(self._store, run.digest, after=_length(known))
        return {name: np.concatenate([values, new[name]]) for name, values in known.items()}


def _length(columns: Arrays) -> int:
    return len(columns["step"])
