"""A logarithmic axis upwards, whose labels can be read."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_POWERS = 5
DECADES = 2
"""From so many on, powers of ten are labels enough."""


def log_axis(values: NDArray[np.float64]) -> dict[str, Any]:
    """The axis for positive `values`: labelled with powers of ten alone, or with whole numbers where they are too few.

    Plotly's own labels are 5, 2, 10⁹, 5, 2 in between, of which the small digits say nothing by themselves.
    """
    span = float(np.ptp(np.log10(values)))
    if span < DECADES:
        return {"type": "log", "tickformat": "~g", "nticks": 4}
    return {"type": "log", "exponentformat": "power", "tick0": 0, "dtick": math.ceil(span / MOST_POWERS)}
