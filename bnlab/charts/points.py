"""The points of a curve: as many as a screen can show, over seeds, smoothed, against a baseline."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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


def thinned_frame(steps: pd.DataFrame, stretch: int) -> pd.DataFrame:
    """Columns step, loss, accuracy and each one's _low and _high: mean, minimum and maximum of every `stretch` steps.

    `steps` has the columns step, loss, accuracy, one row a step. A last stretch that is not full yet is left out; a
    point stands at the end of its stretch.
    """
    return pd.DataFrame(thinned_columns(steps, stretch))


def thinned_columns(steps: pd.DataFrame, stretch: int) -> dict[str, NDArray[Any]]:
    """The columns of `thinned_frame` as arrays."""
    full = len(steps) // stretch * stretch
    columns = {"step": steps["step"].to_numpy()[stretch - 1 : full : stretch]}
    for name in COLUMNS:
        values = steps[name].to_numpy(np.float32)[:full].reshape(-1, stretch)
        with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
            columns[name] = values.mean(axis=1, dtype=np.float64).astype(np.float32)
        columns[f"{name}_low"], columns[f"{name}_high"] = values.min(axis=1), values.max(axis=1)
    return columns


def seeds_frame(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Columns step, epoch, seconds and `columns`, each the mean over the seeds that have got there, and its _sd.

    The frames of all seeds have the same steps, as far as each has got. Beyond a seed's end, seconds go on at the
    pace of the others, so that they never run backwards. A run whose values are no longer finite counts until then.
    One seed is its own mean, and has no _sd.
    """
    if len(frames) == 1:
        return frames[0]
    every = pd.concat([frame.assign(seconds=frame["seconds"].diff().fillna(frame["seconds"])) for frame in frames])
    numbers = every.set_index("step")[["epoch", "seconds", *columns]].astype(float)
    groups = numbers.replace([np.inf, -np.inf], np.nan).groupby(level="step")
    spread = groups[list(columns)].std().add_suffix("_sd")
    mean = groups.mean()
    return mean.assign(seconds=mean["seconds"].cumsum()).join(spread).reset_index()


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


def minus_baseline(frame: pd.DataFrame, baseline: pd.DataFrame, columns: Sequence[str], along: str) -> pd.DataFrame:
    """`frame` with the baseline's values taken off its `columns`, at equal `along` ("epoch" or "seconds").

    Points before the baseline's first and beyond its last are left out. A spread stays the variant's own.
    """
    if baseline.empty:
        return frame.iloc[:0]
    within = frame[frame[along].between(baseline[along].iloc[0], baseline[along].iloc[-1])].copy()
    for name in columns:
        within[name] -= np.interp(within[along], baseline[along], baseline[name])
    return within
