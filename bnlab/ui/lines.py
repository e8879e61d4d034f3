"""The lines of the runs somebody watches, made anew only for those that have grown since the last tick."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from bnlab.charts.lines import Line
from bnlab.charts.points import COLUMNS, most_points, seeds_frame, stretch_of, thinned_columns
from bnlab.runs.frames import moments_frame
from bnlab.runs.run import Run
from bnlab.runs.step_curves import StepCurves
from bnlab.runs.store import Store

Place = tuple[str, float, int]

MEASURED = ("val_loss", "val_accuracy")
RAW = tuple(f"{name}{end}" for name in COLUMNS for end in ("", "_low", "_high"))
MOST_KEPT = 512


class Lines:
    """Of one store; for all sessions of an app. The oldest are forgotten first."""

    def __init__(self, store: Store) -> None:
        """Nothing is read yet."""
        self._store = store
        self._steps = StepCurves(store)
        self._moments: OrderedDict[Place, pd.DataFrame] = OrderedDict()
        self._lines: OrderedDict[tuple[object, ...], Line] = OrderedDict()
        self._lock = threading.Lock()

    def read_on(self, runs: Sequence[Run]) -> None:
        """Read the moments of those of `runs` that have grown, in one query; to be called at each tick's beginning."""
        grown = [run for run in runs if _place(run) not in self._moments]
        if not grown:
            return
        by_run = _parted(moments_frame(self._store, grown))
        for run in grown:
            self._keep(self._moments, _place(run), by_run.get(run.digest, _empty(MEASURED)))

    def validation(self, runs: Sequence[Run]) -> Line:
        """Validation loss and accuracy of one variant's runs."""
        return self._kept(("validation",), runs, lambda: _line([self._measured(run) for run in runs], MEASURED))

    def training(self, runs: Sequence[Run], variants: int) -> Line:
        """Training loss and accuracy of one variant's runs, beside `variants` lines in all."""
        stretch = stretch_of(max((run.step for run in runs), default=0), most_points(variants))
        return self._kept(("training", stretch), runs, lambda: _line([self._thinned(r, stretch) for r in runs], RAW))

    def _kept(self, key: tuple[object, ...], runs: Sequence[Run], make: Callable[[], Line]) -> Line:
        whole = (*key, *map(_place, runs))
        line = self._lines.get(whole)
        if line is None:
            line = make()
            self._keep(self._lines, whole, line)
        return line

    def _keep(self, kept: OrderedDict[Any, Any], key: object, value: object) -> None:
        with self._lock:
            kept[key] = value
            while len(kept) > MOST_KEPT:
                kept.popitem(last=False)

    def _measured(self, run: Run) -> pd.DataFrame:
        measured = self._moments.get(_place(run))
        if measured is None:  # forgotten since the tick's beginning, for the sake of other sessions
            measured = moments_frame(self._store, [run])
        return measured

    def _thinned(self, run: Run, stretch: int) -> pd.DataFrame:
        """With epoch and seconds; the seconds between two moments are taken as evenly spent."""
        columns = thinned_columns(self._steps.frame(run), stretch)
        own = self._measured(run)
        steps, seconds = np.append(own["step"], run.step), np.append(own["seconds"], run.seconds)
        columns["epoch"] = columns["step"] / run.spec.steps_per_epoch
        columns["seconds"] = np.interp(columns["step"], steps, seconds)
        return pd.DataFrame(columns)


def _place(run: Run) -> Place:
    """What a run has recorded: a run deleted and made anew is another one."""
    return run.digest, run.created_at, run.step


def _parted(moments: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Each run's rows of `moments`, in which they lie together; a groupby takes ten times as long."""
    runs = moments["run"].to_numpy()
    edges = [0, *(np.flatnonzero(runs[1:] != runs[:-1]) + 1), len(runs)]
    return {str(runs[low]): moments.iloc[low:high] for low, high in pairwise(edges) if low < high}


def _line(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> Line:
    return Line(seeds_frame(frames, columns), frames) if frames else Line(_empty(columns), [])


def _empty(columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=["step", "epoch", "seconds", *columns], dtype=float)
