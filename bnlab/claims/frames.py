"""Trials as tables: what the charts draw and the page lists."""

from collections.abc import Sequence

import pandas as pd

from bnlab.claims.trial import Cell, Trial

COLUMNS = (
    "condition", "decides", "verdict", "words", "measure", "unit", "control_name", "treatment_name", "control",
    "treatment", "mean", "low", "high", "direction", "smallest_effect", "seeds", "differences",
)  # fmt: skip


def cells_frame(trial: Trial) -> pd.DataFrame:
    """A row for each condition, those that decide first; COLUMNS.

    `control` and `treatment` are the arms' means over the seeds; `mean`, `low` and `high` are those of the paired
    differences, treatment minus control, which `differences` holds seed by seed, and `unit` is theirs.
    """
    rows = [_row(trial, cell, decides=True) for cell in trial.cells]
    rows += [_row(trial, cell, decides=False) for cell in trial.beside]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"decides": bool})


def _row(trial: Trial, cell: Cell, *, decides: bool) -> dict[str, object]:
    condition, interval = cell.condition, cell.interval
    return {
        "condition": condition.name,
        "decides": decides,
        "verdict": str(cell.verdict),
        "words": cell.words,
        "measure": condition.measure.name,
        "unit": condition.measure.difference_unit,
        "control_name": condition.control.name,
        "treatment_name": condition.treatment.name,
        "control": _mean(cell.control),
        "treatment": _mean(cell.treatment),
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "direction": condition.prediction.direction,
        "smallest_effect": condition.prediction.smallest_effect,
        "seeds": list(trial.case.seeds),
        "differences": cell.differences,
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
