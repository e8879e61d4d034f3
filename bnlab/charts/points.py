"""The points of a curve: as many as a screen can show, over seeds, smoothed, against a baseline."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]
"""Arrays of one length by name: what a DataFrame would hold, without what it costs at every tick."""

MOST_POINTS = 150
FEWEST_POINTS = 50
POINTS_OF_ALL = 1_500
COLUMNS = ("loss", "accuracy")


def most_points(variants: int) -> int:
    """How many points each of `variants` lines may have, so that all of them together stay light.

    A line is drawn with two more of its size behind it: the lowest and highest value at each point, or a band.
    """
    return int(np.clip(POINTS_OF_ALL // (3 * max(variants, 1)), FEWEST_POINTS, MOST_POINTS))


def stretch_of(steps: int, most: int) -> int:
    """How many steps a point stands for: 1, 2, 3, 4, 6, 8, 12 …, so that a growing curve keeps its points for long."""
    stretch = 1
    while steps > stretch * most:
        stretch = stretch * 4 // 3 if stretch % 3 == 0 else max(stretch * 3 // 2, stretch + 1)
    return stretch


def thinned_columns(steps: Columns, stretch: int) -> dict[str, NDArray[Any]]:
    """Columns step, loss, accuracy and each one's _low and _high: mean, minimum and maximum of every `stretch` steps.

    `steps` has the columns step, loss, accuracy, one entry a step. A last stretch that is not full yet is left out; a
    point stands at the end of its stretch.
    """
    full = len(steps["step"]) // stretch * stretch
    columns = {"step": steps["step"][stretch - 1 : full : stretch]}
    for name in COLUMNS:
        values = steps[name][:full].reshape(-1, stretch)
        with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
            columns[name] = values.mean(axis=1, dtype=np.float64).astype(np.float32)
        columns[f"{name}_low"], columns[f"{name}_high"] = values.min(axis=1), values.max(axis=1)
    return columns


def seeds_columns(seeds: Sequence[Columns], names: Sequence[str]) -> Columns:
    """Columns step, epoch, seconds and `names`, each the mean over the seeds that have got there, and its _sd.

    Every seed has the columns step (in order), epoch, seconds and `names`. Beyond a seed's end, seconds go on at the
    pace of the others, so that they never run backwards. A run whose values are no longer finite counts until then.
    One seed is its own mean, and has no _sd.
    """
    if len(seeds) == 1:
        return seeds[0]
    steps = np.unique(np.concatenate([seed["step"] for seed in seeds]))
    places = [np.searchsorted(steps, seed["step"]) for seed in seeds]

    def over_seeds(values: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        table = np.full((len(seeds), len(steps)), np.nan)
        for row, place, own in zip(table, places, values, strict=True):
            row[place] = own
        return _mean_and_sd(table)

    paces, _ = over_seeds([np.diff(seed["seconds"], prepend=0.0) for seed in seeds])
    epochs, _ = over_seeds([seed["epoch"] for seed in seeds])
    known = {name: over_seeds([seed[name] for seed in seeds]) for name in names}
    means = {name: mean for name, (mean, _) in known.items()}
    spreads = {f"{name}_sd": spread for name, (_, spread) in known.items()}
    return {"step": steps, "epoch": epochs, "seconds": paces.cumsum(), **means, **spreads}


def _mean_and_sd(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each column's finite values; missing where there is none, and the deviation where there is one."""
    finite = np.isfinite(table)
    count = finite.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(finite, table, 0.0).sum(axis=0) / count
        squares = np.where(finite, table - mean, 0.0) ** 2
        return mean, np.sqrt(squares.sum(axis=0) / np.where(count > 1, count - 1, np.nan))


def smoothed(values: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
    """The running average of `values`, in which what was before has `weight`, corrected for its start at nothing.

    As TensorBoard smooths, and as Adam corrects its averages (Kingma and Ba 2015, section 3). What is not finite is
    left out of the average and stays missing.
    """
    if weight == 0 or values.size == 0:
        return values
    known = np.isfinite(values)
    past = _weights_of_past(values.size, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        averages = past @ np.where(known, values, 0) / (past @ known)
    return np.where(known, averages, np.nan).astype(np.float32)


@lru_cache(maxsize=64)
def _weights_of_past(size: int, weight: float) -> NDArray[np.float64]:
    """What each value counts in each average: `weight` to the power of how long ago it was, nothing of the future."""
    ago = np.subtract.outer(np.arange(size), np.arange(size))
    return np.where(ago >= 0, float(weight) ** np.maximum(ago, 0), 0.0)


def minus_baseline(columns: Columns, baseline: Columns, names: Sequence[str], along: str) -> Columns:
    """`columns` with the baseline's values taken off `names`, at equal `along` ("epoch" or "seconds").

    Points before the baseline's first and beyond its last are left out. A spread stays the variant's own.
    """
    x, known = columns[along], baseline[along]
    within = (x >= known[0]) & (x <= known[-1]) if len(known) else np.zeros(len(x), bool)
    kept = {name: values[within] for name, values in columns.items()}
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        return kept | {name: kept[name] - np.interp(kept[along], known, baseline[name]) for name in names if len(known)}
