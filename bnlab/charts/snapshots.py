"""Snapshots of a layer: which units and steps are drawn, how steps are titled, and which runs have exploded."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

EXPLOSION_LIMIT = 1e6
"""Larger than any value of a network that learns, however its pixels are scaled."""
EXPLODED_TEXT = "the values have exploded and leave the axes, which are those of the other networks."
"""Follows the names of such runs."""

Run = TypeVar("Run")


def evenly_spaced(count: int, max_count: int) -> NDArray[np.intp]:
    """At most `max_count` of the positions 0 … count − 1, evenly spaced, including the first and the last."""
    return np.unique(np.linspace(0, count - 1, min(count, max_count)).round().astype(np.intp))


def step_text(step: int, steps_per_epoch: int) -> str:
    """The title of a step: `start`, `epoch 3` at the end of an epoch, or `step 41`."""
    if step == 0:
        return "start"
    epoch, remainder = divmod(step, steps_per_epoch)
    return f"step {step:,}" if remainder else f"epoch {epoch:,}"


def label_positions(steps: Sequence[int], steps_per_epoch: int) -> list[int]:
    """The positions in `steps` of the start, the end and epoch 1, the last only where the labels do not overlap."""
    end = len(steps) - 1
    first_epoch = next((i for i, step in enumerate(steps) if step >= steps_per_epoch), end)
    min_distance = len(steps) / 4
    has_room = first_epoch >= min_distance and end - first_epoch >= min_distance
    return [0, *([first_epoch] if has_room else []), end] if end else [0]


def exploded_runs(values: Mapping[Run, NDArray[Any]]) -> set[Run]:
    """The runs with finite values beyond EXPLOSION_LIMIT; none if no other run has finite values.

    `values` maps each run to all values that are drawn of it.
    """
    sizes = {run: np.abs(array[np.isfinite(array)]) for run, array in values.items()}
    exploded = {run for run, size in sizes.items() if size.size and size.max() > EXPLOSION_LIMIT}
    others = {run for run, size in sizes.items() if size.size} - exploded
    return exploded if others else set()
