"""The curves of the runs that are shown, kept in memory: only what was recorded since the last read is read."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cachetools import LRUCache

from bnlab.runs.reader import Arrays, read_evaluations, read_steps
from bnlab.runs.run import Run
from bnlab.runs.store import Store

MAX_STEPS = 20_000_000
"""Of all runs together: 320 MB."""


@dataclass(frozen=True, eq=False)
class RunCurves:
    """What one run has recorded up to `step`.

    Attributes:
        digest: the run's digest.
        created_at: when the run was created; a run that was deleted and launched again is another run.
        steps_per_epoch: optimizer steps in an epoch.
        step: the run's step when this was read.
        seconds: its training time at that step.
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
    """The curves of one store's runs, shared by all threads. The least recently used are dropped first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        # A run longer than the whole cache is kept as well, alone.
        self._kept: LRUCache[tuple[str, float], RunCurves] = LRUCache(
            MAX_STEPS, getsizeof=lambda curves: min(max(_last_step(curves.steps), 1), MAX_STEPS)
        )

    def read(self, runs: Sequence[Run]) -> dict[str, RunCurves]:
        """The curves of `runs` by digest, at least up to each run's step."""
        with self._lock:
            known = {run.digest: self._kept.get((run.digest, run.created_at)) for run in runs}
            grown = {run.digest: run for run in runs if _step(known[run.digest]) < run.step}
            for curves in self._read_new(list(grown.values()), known):
                known[curves.digest] = self._kept[curves.digest, curves.created_at] = curves
        return {digest: curves for digest, curves in known.items() if curves is not None}

    def _read_new(self, runs: Sequence[Run], known: dict[str, RunCurves | None]) -> list[RunCurves]:
        """New curves of `runs`: those that are `known` and what was recorded since."""
        if not runs:
            return []
        before = {run.digest: known[run.digest] or _nothing(run) for run in runs}
        steps = read_steps(self._store, {digest: _last_step(curves.steps) for digest, curves in before.items()})
        evaluated = min(_last_step(curves.evaluations, -1) for curves in before.values())
        evaluations = read_evaluations(self._store, runs, evaluated)
        return [_extended(before[run.digest], run, steps[run.digest], evaluations[run.digest]) for run in runs]


def _step(curves: RunCurves | None) -> int:
    return -1 if curves is None else curves.step


def _last_step(columns: Arrays, default: int = 0) -> int:
    return int(columns["step"][-1]) if len(columns["step"]) else default


def _nothing(run: Run) -> RunCurves:
    return RunCurves(run.digest, run.created_at, run.spec.steps_per_epoch, -1, 0.0, _empty(), _empty())


def _empty() -> Arrays:
    return {"step": np.empty(0, int)}


def _extended(curves: RunCurves, run: Run, steps: Arrays, evaluations: Arrays) -> RunCurves:
    return RunCurves(
        digest=run.digest,
        created_at=run.created_at,
        steps_per_epoch=curves.steps_per_epoch,
        step=run.step,
        seconds=run.seconds,
        steps=_appended(curves.steps, steps, 0),
        evaluations=_appended(curves.evaluations, evaluations, -1),
    )


def _appended(known: Arrays, new: Arrays, default: int) -> Arrays:
    """`known` and the rows of `new` beyond it; `known` itself where there are none."""
    fresh = new["step"] > _last_step(known, default)
    if len(known["step"]) and not fresh.any():
        return known
    return {name: np.concatenate([known.get(name, values[:0]), values[fresh]]) for name, values in new.items()}
