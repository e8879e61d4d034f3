"""A cache of runs' curves in memory, which reads only what was recorded since the last read."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cachetools import LRUCache

from bnlab.runs.reader import Arrays, read_evaluations, read_steps
from bnlab.runs.run import Run
from bnlab.runs.store import Store

MAX_STEPS = 20_000_000
"""The capacity in steps of all runs together, which take 320 MB."""


@dataclass(frozen=True, eq=False)
class RunCurves:
    """The recorded curves of one run.

    Attributes:
        digest: the run's digest.
        created_at: when the run was created; a run that was deleted and launched again is another run.
        steps_per_epoch: optimizer steps in an epoch.
        step: the run's step when the curves were read.
        seconds: the run's training time at that step.
        steps: columns step (from 1), loss and accuracy of every step, in training mode on its batch.
        evaluations: columns step, epoch, seconds, val_loss and val_accuracy.
    """

    digest: str
    created_at: float
    steps_per_epoch: int
    step: int
    seconds: float
    steps: Arrays
    evaluations: Arrays


class CurvesCache:
    """The curves of one store's runs, shared by all threads; the least recently used are evicted first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        # The size of a run is limited so that one longer than the capacity can be cached, too, alone.
        self._curves: LRUCache[tuple[str, float], RunCurves] = LRUCache(
            MAX_STEPS, getsizeof=lambda curves: min(max(_last_step(curves.steps), 1), MAX_STEPS)
        )

    def read(self, runs: Sequence[Run]) -> dict[str, RunCurves]:
        """The curves of `runs` by digest, at least up to each run's step."""
        with self._lock:
            cached = {run.digest: self._curves.get((run.digest, run.created_at), _empty_curves(run)) for run in runs}
            advanced = {run.digest: run for run in runs if cached[run.digest].step < run.step}
            for curves in self._read_new(list(advanced.values()), cached):
                cached[curves.digest] = self._curves[curves.digest, curves.created_at] = curves
        return cached

    def _read_new(self, runs: Sequence[Run], cached: dict[str, RunCurves]) -> list[RunCurves]:
        """The `cached` curves of `runs`, extended by what was recorded since."""
        if not runs:
            return []
        steps = read_steps(self._store, {run.digest: _last_step(cached[run.digest].steps) for run in runs})
        last_evaluated = min(_last_step(cached[run.digest].evaluations, -1) for run in runs)
        evaluations = read_evaluations(self._store, runs, last_evaluated)
        return [_extend(cached[run.digest], run, steps[run.digest], evaluations[run.digest]) for run in runs]


def _last_step(columns: Arrays, default: int = 0) -> int:
    return int(columns["step"][-1]) if len(columns["step"]) else default


def _empty_curves(run: Run) -> RunCurves:
    steps, evaluations = ({"step": np.empty(0, int)} for _ in range(2))
    return RunCurves(run.digest, run.created_at, run.spec.steps_per_epoch, -1, 0.0, steps, evaluations)


def _extend(curves: RunCurves, run: Run, steps: Arrays, evaluations: Arrays) -> RunCurves:
    return RunCurves(
        digest=run.digest,
        created_at=run.created_at,
        steps_per_epoch=curves.steps_per_epoch,
        step=run.step,
        seconds=run.seconds,
        steps=_append(curves.steps, steps, 0),
        evaluations=_append(curves.evaluations, evaluations, -1),
    )


def _append(cached: Arrays, new: Arrays, default: int) -> Arrays:
    """`cached` and the rows of `new` beyond its last step; `cached` itself if there are none."""
    is_later = new["step"] > _last_step(cached, default)
    if len(cached["step"]) and not is_later.any():
        return cached
    return {name: np.concatenate([cached.get(name, values[:0]), values[is_later]]) for name, values in new.items()}
