"""Trials as JSON documents, for programs that read verdicts and numbers."""

import math
from typing import Any

from bnlab.claims.statistics import Interval
from bnlab.claims.trial import ConditionResult, Trial, interval_of


def trial_document(trial: Trial) -> dict[str, Any]:
    """The trial as a JSON document; what is not finite is null.

    `id`, `verdict`, `measure`, `condition` and `arm` are ids; `text` and `title` are for display. `conditions` has
    every arm once; `difference` is treatment minus control (see `Trial.difference`). `runs` includes networks that
    only a measurement trained, whose time is not part of `seconds`.
    """
    claim, difference = trial.experiment.claim, trial.difference
    return {
        "id": claim.id,
        "verdict": str(trial.verdict),
        "text": trial.text,
        "measure": claim.measure.id,
        "unit": claim.measure.unit,
        "conditions": [document for result in trial.all_results for document in _arm_documents(result)],
        "difference": {"mean": _finite(difference.mean), "ci": _ends(difference), "n": difference.n},
        "runs": trial.networks,
        "seconds": trial.effort.seconds,
    }


def _arm_documents(result: ConditionResult) -> list[dict[str, Any]]:
    condition, documents = result.condition, []
    for arm_id, values in (("control", result.control), ("treatment", result.treatment)):
        interval = interval_of(condition, values)
        arm = condition.control if arm_id == "control" else condition.treatment
        documents.append(
            {
                "condition": condition.id,
                "arm": arm_id,
                "title": f"{condition.title}: {arm.title}",
                "per_seed": [_finite(value) for value in values],
                "mean": _finite(interval.mean),
                "ci": _ends(interval),
            }
        )
    return documents


def _ends(interval: Interval) -> list[float | None]:
    return [_finite(interval.low), _finite(interval.high)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
