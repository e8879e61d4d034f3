"""What a chart of curves shows, in words."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from bnlab.charts.curves import differing_lines, differs, why_empty
from bnlab.charts.lines import KEPT, Curve, Line
from bnlab.charts.numbers import power, signed
from bnlab.charts.view import View

LARGE = 1e4
AXES = {"epoch": "epoch", "step": "step", "seconds": "second"}


def curve_alt(lines: Mapping[str, Line], curve: Curve, view: View, *, awaited: bool = False) -> str:
    """The chart's finding: where each line has got to, the best first, and which have no number or nothing there."""
    drawn, minus = differing_lines(lines, curve, view), differs(lines, view)
    ends = {label: _end(line, curve.column) for label, line in drawn.items() if len(line)}
    if not ends:
        return f"{curve.title}: {why_empty(lines, curve, view, awaited=awaited).lower()}."
    known = {label: end for label, end in ends.items() if np.isfinite(end)}
    best_first = sorted(known, key=lambda label: known[label], reverse=curve.is_fraction)
    measured = [f"{label} {_words(known[label], curve, minus=minus)}" for label in best_first]
    said = [
        (_what(drawn, curve, view, minus=minus), measured or ["none"]),
        ("No longer a number", [label for label in ends if label not in known]),
        ("Nothing yet", [label for label in drawn if label not in ends]),
    ]
    return " ".join(f"{what}: {', '.join(names)}." for what, names in said if names)


def _what(drawn: Mapping[str, Line], curve: Curve, view: View, *, minus: bool) -> str:
    title = f"{curve.title} minus {view.baseline}’s" if minus else curve.title
    means = ", means over seeds" if any(len(line.seeds) > 1 for line in drawn.values()) else ""
    return f"{title} by {AXES[view.x]}{means}, the best first"


def _words(value: float, curve: Curve, *, minus: bool) -> str:
    if curve.is_fraction:
        return f"{signed(100 * value)} points" if minus else f"{value:.1%}"
    if minus:
        return signed(value)
    return f"{value:.3f}" if value < LARGE else power(value)


@lru_cache(maxsize=KEPT)
def _end(line: Line, column: str) -> float:
    return float(line.mean[column][-1])
