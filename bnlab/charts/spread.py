"""Which of many things are shown, when there are more than can be seen."""

import numpy as np
from numpy.typing import NDArray


def spread(count: int, most: int) -> NDArray[np.intp]:
    """At most `most` of the positions 0 … count − 1, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))
