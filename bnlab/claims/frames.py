"""A trial as a table, which the charts draw and the page lists."""

from collections.abc import Sequence

import pandas as pd

from bnlab.claims.trial import ConditionResult, Trial

COLUMNS = (
    "id", "condition", "decides", "verdict", "words", "measure", "unit", "control_name", "treatment_name", "control",
    "treatment", "mean", "low", "high", "direction", "smallest_effect", "seeds", "differences",
)  # fmt: skip


def conditions_frame(trial: Trial) -> pd.DataFrame:
    """One row per condition, those that decide first; COLUMNS.

    `id` and `verdict` are ids, `condition`, `words` and the names are for display. `control` and `treatment` are the
    arms' means over the seeds; `mean`, `low` and `high` are those of the paired differences, treatment minus control,
    which `differences` contains seed by seed, and `unit` is theirs.
    """
    rows = [_row(trial, result, decides=True) for result in trial.results]
    rows += [_row(trial, result, decides=False) for result in trial.supplementary]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"decides": bool})


def _row(trial: Trial, result: ConditionResult, *, decides: bool) -> dict[str, object]:
    condition, interval = result.condition, result.interval
    return {
        "id": condition.id,
        "condition": condition.title,
        "decides": decides,
        "verdict": str(result.verdict),
        "words": result.text,
        "measure": condition.measure.title,
        "unit": condition.measure.difference_unit,
        "control_name": condition.control.title,
        "treatment_name": condition.treatment.title,
        "control": _mean(result.control),
        "treatment": _mean(result.treatment),
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "direction": condition.prediction.direction,
        "smallest_effect": condition.prediction.smallest_effect,
        "seeds": list(trial.experiment.seeds),
        "differences": result.differences,
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
