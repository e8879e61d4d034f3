"""Runs whose values have exploded: drawn to their scale, all others in the chart would lie flat on zero."""

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

EXPLODED = 1e6
"""Larger values than a network that learns has, whatever its pixels are scaled to."""

Run = TypeVar("Run")


def exploded_runs(values: Mapping[Run, NDArray[Any]]) -> set[Run]:
    """The runs with finite values beyond EXPLODED; none where there is no other run with values.

    `values` maps each run to everything that is drawn of it.
    """
    sizes = {run: np.abs(own[np.isfinite(own)]) for run, own in values.items()}
    beyond = {run for run, own in sizes.items() if own.size and own.max() > EXPLODED}
    others = {run for run, own in sizes.items() if own.size} - beyond
    return beyond if others else set()


EXPLODED_WORDS = "the values have exploded and leave the axes, which are those of the other networks."
"""What is to be said of such runs."""
