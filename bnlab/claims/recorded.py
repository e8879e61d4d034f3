"""The trials that ship with bnlab, so that every claim has a verdict from the start: their numbers, not their runs."""

import hashlib
import json
import math
import threading
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from bnlab.claims.catalog.registry import CLAIMS
from bnlab.claims.model import Experiment, parse_experiment
from bnlab.claims.results import TrainingCost, ExperimentResult, judge_experiment
from bnlab.runs.recording import describe_machine

DIGITS = 6
RESULTS_FILE = files("bnlab.claims") / "data" / "trials.jsonl"
_lock = threading.Lock()  # so that two threads do not judge the same trials


def write_results(trials: Iterable[ExperimentResult], path: Path) -> None:
    """Write the numbers of `trials` to `path` as JSON Lines, one trial per line."""
    lines = [json.dumps(_packed(trial), allow_nan=False) for trial in trials]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def recorded_results() -> dict[str, ExperimentResult]:
    """The trials that ship, by their claim's id. Judging them takes a second, once per process."""
    with _lock:
        return _shipped_trials()


@cache
def _shipped_trials() -> dict[str, ExperimentResult]:
    return parse_results(RESULTS_FILE.read_text(encoding="utf-8"))


def parse_results(text: str) -> dict[str, ExperimentResult]:
    """Trials by their claim's id, judged from their numbers; those whose claim has changed since are left out."""
    trials = (_unpacked(json.loads(line)) for line in text.splitlines())
    return {trial.experiment.claim.id: trial for trial in trials if trial is not None}


def _packed(trial: ExperimentResult) -> dict[str, Any]:
    return {
        "experiment": trial.experiment.name,
        "design": design_digest(trial.experiment),
        "origin": trial.origin or describe_machine(),
        "effort": asdict(trial.effort),
        "numbers": {
            result.condition.id: {"control": _rounded(result.control), "treatment": _rounded(result.treatment)}
            for result in trial.all_results
        },
    }


def _unpacked(packed: dict[str, Any]) -> ExperimentResult | None:
    experiment = parse_experiment(packed["experiment"], CLAIMS)
    if experiment is None or design_digest(experiment) != packed["design"]:
        return None
    numbers = {
        condition: (_with_nan(arms["control"]), _with_nan(arms["treatment"]))
        for condition, arms in packed["numbers"].items()
    }
    return judge_experiment(experiment, numbers, TrainingCost(**packed["effort"]), packed["origin"])


def design_digest(experiment: Experiment) -> str:
    """A hash of what is measured under each condition, by ids and the specs' digests.

    Numbers recorded under another digest belong to another experiment.
    """
    seed = experiment.seeds.start
    design = []
    for condition in experiment.claim.all_conditions:
        specs = [spec.digest for arm in condition.arms for spec in experiment.specs(arm, seed)]
        design.append([condition.id, condition.measure.id, *specs])
    return hashlib.sha256(json.dumps(design).encode()).hexdigest()[:16]


def _rounded(values: Iterable[float]) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values]


def _with_nan(values: Iterable[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]
