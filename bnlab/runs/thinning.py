"""Which points of a long curve are drawn or written: fewer than there are, and among them every peak.

The first and the last, and the smallest and largest value of each part of the curve. Evenly spaced points would leave
out a peak of a single step, and whether it is seen would depend on how many points there are.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


def thin(values: NDArray[np.floating], max_points: int, *, log: bool = False) -> NDArray[np.intp]:
    """The positions of about `max_points` of `values`: the smallest and largest of each part, the first and the last.

    So every peak is drawn, and each point is one of the curve's. Parts are equally long, or with `log` equally wide on
    a logarithmic axis. They double, so that a growing curve rarely changes the points that are drawn. Values that are
    not finite count as neither; the first and last of them in each part are kept as well, so that a gap stays a gap.
    """
    count = len(values)
    if count <= max_points:
        return np.arange(count)
    kept = {0, count - 1}
    all_finite = bool(np.isfinite(values).all())
    for start, stop in _parts(count, max(max_points // 2, 1), log=log):
        part = values[start:stop]
        kept |= {start + position for position in (_ends(part) if all_finite else _ends_of_both(part))}
    return np.array(sorted(kept))


def thin_together(lines: Sequence[NDArray[np.floating]], max_points: int) -> NDArray[np.intp]:
    """The positions at which any of several `lines` of equal length is kept, each thinned to half of `max_points`.

    For lines that are drawn at the same positions, such as the percentiles of a band: they do not cross where they are
    thinned, as they could if each had positions of its own, and each keeps its extremes. Two lines have about
    `max_points` positions together, more lines more, unless their peaks coincide.
    """
    if len(lines[0]) <= max_points:
        return np.arange(len(lines[0]))
    return np.unique(np.concatenate([thin(line, max_points // 2) for line in lines]))


def _ends(part: NDArray[np.floating]) -> set[int]:
    """The positions of the smallest and the largest value."""
    return {int(part.argmin()), int(part.argmax())}


def _ends_of_both(part: NDArray[np.floating]) -> set[int]:
    """The positions of the smallest and the largest finite value, and of the first and last that is not finite."""
    finite = np.isfinite(part)
    known, gaps = np.flatnonzero(finite), np.flatnonzero(~finite)
    extremes = {int(known[position]) for position in _ends(part[known])} if len(known) else set()
    return extremes | {int(gaps[end]) for end in (0, -1) if len(gaps)}


def _parts(count: int, max_parts: int, *, log: bool) -> Iterator[tuple[int, int]]:
    """Start and stop of each part of `count` values; the last may be incomplete."""
    if log:
        per_decade = int(max_parts / np.log10(count))
        edges = np.unique((10 ** (np.arange(max_parts + 1) / max(per_decade, 1))).astype(int)) - 1
        starts = edges[edges < count].tolist()
    else:
        starts = list(range(0, count, steps_per_part(count, max_parts)))
    return zip(starts, [*starts[1:], count], strict=True)


def steps_per_part(steps: int, parts: int) -> int:
    """The length that divides `steps` into at most `parts`: a power of two.

    So a longer part is two shorter ones, and what is drawn of it was drawn of them: an update sends no point again.
    """
    length = 1
    while steps > length * parts:
        length *= 2
    return length
