"""One sentence for each question of the Layers page, from what its runs have recorded at one evaluation.

A sentence says what was measured, in which variant, with which seed and when, and nothing about other seeds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnlab.charts.formatting import format_digits
from bnlab.specs.normalizers import VARIABLES

SAME = 1.1
"""Gradient norms whose ratio is smaller are called about equal."""
POWERS_FROM = 1_000
"""Ratios from here on are rounded to a power of ten."""
INNER = (5, 95)
"""The percentiles between which 90 % of the values are."""
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
MAX_READINGS = 3
"""Of the networks in one sentence; a longer one is not read."""
LEARNED_ROLES = ("factor", "offset")


@dataclass(frozen=True)
class RunFinding:
    """What is said of one run: its variant's label, its seed, the evaluation in words, and the finding."""

    label: str
    seed: int
    evaluation: str
    finding: str


def sentence(findings: Sequence[RunFinding], networks: int = 0) -> str:
    """All findings in one sentence; seed and evaluation are named once where they agree. Empty without findings.

    `networks` is how many are shown, if there are more than findings.
    """
    if not findings:
        return ""
    rest = f" These are the first {len(findings)} of {networks} networks." if networks > len(findings) else ""
    times = {(reading.seed, reading.evaluation) for reading in findings}
    if len(times) == 1:
        ((seed, evaluation),) = times
        parts = [f"in “{reading.label}” {reading.finding}" for reading in findings]
        return f"With seed {seed}, {evaluation}: {'; '.join(parts)}.{rest}"
    parts = [f"in “{r.label}” (seed {r.seed}, {r.evaluation}) {r.finding}" for r in findings]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}.{rest}"


def gradient_finding(frame: pd.DataFrame) -> str:
    """From the last hidden layer to the first; `frame` has the columns depth (from 1) and gradient_norm.

    Empty without rows.
    """
    if frame.empty:
        return ""
    norms = frame.sort_values("depth")["gradient_norm"].to_numpy(float)
    depth = len(norms)
    first, last = norms[0], norms[-1]
    if not (math.isfinite(first) and math.isfinite(last)):
        return "the gradient is not finite"
    if depth == 1:
        return f"the only hidden layer has a gradient of norm {format_digits(first, 2)}"
    if first == 0 or last == 0:
        zero = "any layer" if first == last else "layer 1" if first == 0 else f"layer {depth}"
        return f"the gradient in {zero} is 0" if first != last else "no gradient reaches any layer"
    where = f"from layer {depth} to layer 1"
    if max(first / last, last / first) < SAME:
        return f"the gradient stays about the same {where}"
    return f"the gradient {'falls' if first < last else 'grows'} {fold_text(max(first / last, last / first))} {where}"


def fold_text(ratio: float) -> str:
    """A ratio above 1: `4.2-fold`, `120-fold`, `about 10⁵-fold`."""
    if ratio >= POWERS_FROM:
        return f"about 10{str(round(math.log10(ratio))).translate(_SUPERSCRIPTS)}-fold"
    return f"{ratio:.1f}-fold" if ratio < 10 else f"{float(f'{ratio:.2g}'):.0f}-fold"


def learned_finding(values: Mapping[str, NDArray[Any]]) -> str:
    """What the units' scale and shift have become; `values` of all units by the variable's name.

    Empty if there are no values.
    """
    parts = []
    for name, variable in VARIABLES.items():
        units = values.get(name)
        if variable.role not in LEARNED_ROLES or units is None or not units.size:
            continue
        start = format_digits(variable.initial)
        if not np.isfinite(units).all():
            parts.append(f"{name} is not finite in some units")
        elif (units == variable.initial).all():
            parts.append(f"{name} is still {start} in all units")
        else:
            low, high = (format_digits(edge, 2) for edge in np.percentile(units.astype(np.float64), INNER))
            parts.append(f"{name} has moved from {start} to between {low} and {high}")
    if not parts:
        return "there is neither gamma nor beta to learn" if values else ""
    count = max(array.size for array in values.values())
    return f"{' and '.join(parts)} (the middle 90 % of {count:,} units)"


def activation_finding(bands: pd.DataFrame) -> str:
    """The inner 90 % of the pre-activations in the first and the last hidden layer.

    `bands` has the columns p5 and p95, one row per hidden layer from the input on. Empty without rows.
    """
    if bands.empty:
        return ""
    ends = {1: bands.iloc[0], len(bands): bands.iloc[-1]}
    texts = []
    for depth, row in ends.items():
        low, high = float(row["p5"]), float(row["p95"])
        if not (math.isfinite(low) and math.isfinite(high)):
            texts.append(f"not finite in layer {depth}")
        else:
            texts.append(f"between {format_digits(low, 2)} and {format_digits(high, 2)} in layer {depth}")
    return f"90 % of the values are {' and '.join(texts)}"
