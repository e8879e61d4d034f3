"""Trials as JSON: the verdict with its numbers, for whoever reads it with a program."""

import math
from typing import Any

from bnlab.claims.statistics import Interval
from bnlab.claims.trial import Trial, interval_of


def trial_document(trial: Trial) -> dict[str, Any]:
    """The trial as JSON holds it; what is not finite is null.

    `conditions` has every arm once; `difference` is treatment minus control (see `Trial.difference`). `runs` counts
    networks that were only looked into, too, which `seconds` does not.
    """
    claim, difference = trial.case.claim, trial.difference
    return {
        "id": claim.id,
        "verdict": trial.words,
        "measure": claim.measure.name,
        "unit": claim.measure.unit,
        "conditions": _arms(trial),
        "difference": {"mean": _finite(difference.mean), "ci": _ends(difference), "n": difference.n},
        "runs": trial.networks,
        "seconds": trial.effort.seconds,
    }


def _arms(trial: Trial) -> list[dict[str, Any]]:
    documents = []
    for cell in (*trial.cells, *trial.beside):
        for arm, values in zip(cell.condition.arms, (cell.control, cell.treatment), strict=True):
            interval = interval_of(cell.condition, values)
            name = f"{cell.condition.name}: {arm.name}"
            numbers = {"per_seed": [_finite(value) for value in values], "mean": _finite(interval.mean)}
            documents.append({"name": name, **numbers, "ci": _ends(interval)})
    return documents


def _ends(interval: Interval) -> list[float | None]:
    return [_finite(interval.low), _finite(interval.high)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
