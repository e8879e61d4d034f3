"""Which of many steps and units are drawn, how steps are titled, and which runs have exploded."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray


def evenly_spaced(count: int, most: int) -> NDArray[np.intp]:
    """At most `most` of the positions 0 … count − 1, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))


def step_text(step: int, steps_per_epoch: int) -> str:
    """The start, the end of an epoch, or a step within one."""
    if step == 0:
        return "start"
    epoch, beyond = divmod(step, steps_per_epoch)
    return f"step {step:,}" if beyond else f"epoch {epoch:,}"


def label_positions(steps: Sequence[int], steps_per_epoch: int) -> list[int]:
    """The positions in `steps` of the start, epoch 1 and the end, as far as their labels do not meet."""
    end = len(steps) - 1
    first_epoch = next((i for i, step in enumerate(steps) if step >= steps_per_epoch), end)
    apart = len(steps) / 4
    between = [first_epoch] if first_epoch >= apart and end - first_epoch >= apart else []
    return [0, *between, end] if end else [0]


EXPLOSION_LIMIT = 1e6
"""Larger values than a network that learns has, whatever its pixels are scaled to."""


Run = TypeVar("Run")


def exploded_runs(values: Mapping[Run, NDArray[Any]]) -> set[Run]:
    """The runs with finite values beyond EXPLODED; none where there is no other run with values.

    `values` maps each run to everything that is drawn of it.
    """
    sizes = {run: np.abs(own[np.isfinite(own)]) for run, own in values.items()}
    beyond = {run for run, own in sizes.items() if own.size and own.max() > EXPLOSION_LIMIT}
    others = {run for run, own in sizes.items() if own.size} - beyond
    return beyond if others else set()


EXPLODED_TEXT = "the values have exploded and leave the axes, which are those of the other networks."
"""What is to be said of such runs."""
