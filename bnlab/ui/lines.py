"""The lines of the runs somebody watches, made anew only for those that have grown since the last tick."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bnlab.charts.lines import Line
from bnlab.charts.points import COLUMNS, Columns, most_points, seeds_columns, stretch_of, thinned_columns
from bnlab.runs.frames import read_moments
from bnlab.runs.run import Run
from bnlab.runs.step_curves import StepCurves
from bnlab.runs.store import Store

MEASURED = ("val_loss", "val_accuracy")
RAW = tuple(f"{name}{end}" for name in COLUMNS for end in ("", "_low", "_high"))
MOST_KEPT = 512

Identity = tuple[str, float]


class Lines:
    """Of one store; for all sessions of an app. The oldest are forgotten first."""

    def __init__(self, store: Store) -> None:
        """Nothing is read yet."""
        self._store = store
        self._steps = StepCurves(store)
        self._moments: OrderedDict[Identity, tuple[int, Columns]] = OrderedDict()
        self._lines: OrderedDict[tuple[object, ...], Line] = OrderedDict()
        self._lock = threading.Lock()

    def read_on(self, runs: Sequence[Run]) -> None:
        """Read the new moments of those of `runs` that have grown, in one query; to be called as a tick begins."""
        known = [(run, *self._moments.get(_identity(run), (-1, _NOTHING))) for run in runs]
        grown = [(run, columns) for run, step, columns in known if step < run.step]
        if not grown:
            return
        news = read_moments(self._store, [run for run, _ in grown], min(_last(columns) for _, columns in grown))
        for run, columns in grown:
            self._keep(self._moments, _identity(run), (run.step, _joined(columns, news[run.digest])))

    def validation(self, runs: Sequence[Run]) -> Line:
        """Validation loss and accuracy of one variant's runs."""
        measured = [self._measured(run) for run in runs]
        return self._kept(("validation",), runs, list(map(_last, measured)), lambda: _line(measured, MEASURED))

    def training(self, runs: Sequence[Run], variants: int) -> Line:
        """Training loss and accuracy of one variant's runs, beside `variants` lines in all."""
        steps = [run.step for run in runs]
        stretch = stretch_of(max(steps, default=0), most_points(variants))
        return self._kept(
            ("training", stretch), runs, steps, lambda: _line([self._thinned(r, stretch) for r in runs], RAW)
        )

    def _kept(
        self, kind: tuple[object, ...], runs: Sequence[Run], steps: Sequence[int], make: Callable[[], Line]
    ) -> Line:
        key = (*kind, *map(_identity, runs), *steps)
        line = self._lines.get(key)
        if line is None:
            line = make()
            self._keep(self._lines, key, line)
        return line

    def _keep(self, kept: OrderedDict[Any, Any], key: object, value: object) -> None:
        with self._lock:
            kept[key] = value
            kept.move_to_end(key)
            while len(kept) > MOST_KEPT:
                kept.popitem(last=False)

    def _measured(self, run: Run) -> Columns:
        _, measured = self._moments.get(_identity(run), (-1, None))
        if measured is None:  # forgotten since the tick's beginning, for the sake of other sessions
            measured = read_moments(self._store, [run])[run.digest]
        return measured

    def _thinned(self, run: Run, stretch: int) -> Columns:
        """With epoch and seconds; the seconds between two moments are taken as evenly spent."""
        columns = thinned_columns(self._steps.columns(run), stretch)
        own, step = self._measured(run), columns["step"]
        # The last moment may be newer than the run that is asked for: neither steps nor seconds go back.
        steps = np.maximum.accumulate(np.append(own["step"], run.step))
        seconds = np.maximum.accumulate(np.append(own["seconds"], run.seconds))
        return columns | {"epoch": step / run.spec.steps_per_epoch, "seconds": np.interp(step, steps, seconds)}


_NOTHING: Columns = dict.fromkeys(["step", "epoch", "seconds", *MEASURED, *RAW], np.empty(0))


def _identity(run: Run) -> Identity:
    """A run deleted and made anew is another one."""
    return run.digest, run.created_at


def _last(measured: Columns) -> int:
    """The step of the last moment, -1 before the first."""
    return int(measured["step"][-1]) if len(measured["step"]) else -1


def _joined(known: Columns, new: Columns) -> Columns:
    fresh = new["step"] > _last(known)
    return {name: np.concatenate([known[name], values[fresh]]) for name, values in new.items()}


def _line(seeds: Sequence[Columns], names: Sequence[str]) -> Line:
    return Line(seeds_columns(seeds, names) if seeds else _NOTHING, seeds)
