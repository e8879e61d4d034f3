"""The results shipped with bnlab, so that every claim has a verdict from the start: their values, not their runs."""

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
from bnlab.claims.results import ExperimentResult, TrainingCost, judge_experiment
from bnlab.runs.recording import describe_machine

DIGITS = 6
RESULTS_FILE = files("bnlab.claims") / "data" / "results.jsonl"
_lock = threading.Lock()  # keeps two threads from computing the same verdicts


def write_results(results: Iterable[ExperimentResult], path: Path) -> None:
    """Write the values of `results` to `path` as JSON Lines, one result per line."""
    lines = [json.dumps(_to_document(result), allow_nan=False) for result in results]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def recorded_results() -> dict[str, ExperimentResult]:
    """The shipped results by their claim's id. The first call in a process takes a second to compute the verdicts."""
    with _lock:
        return _shipped_results()


@cache
def _shipped_results() -> dict[str, ExperimentResult]:
    return parse_results(RESULTS_FILE.read_text(encoding="utf-8"))


def parse_results(text: str) -> dict[str, ExperimentResult]:
    """Results by their claim's id, with verdicts computed from their values.

    Results of a claim whose design has changed since are left out.
    """
    results = (_from_document(json.loads(line)) for line in text.splitlines())
    return {result.experiment.claim.id: result for result in results if result is not None}


def design_digest(experiment: Experiment) -> str:
    """A hash of the conditions' ids, measures and spec digests: values with another digest are not comparable."""
    seed = experiment.seeds.start
    design = []
    for condition in experiment.claim.all_conditions:
        specs = [spec.digest for arm in condition.arms for spec in experiment.specs(arm, seed)]
        design.append([condition.id, condition.measure.id, *specs])
    return hashlib.sha256(json.dumps(design).encode()).hexdigest()[:16]


def _to_document(result: ExperimentResult) -> dict[str, Any]:
    return {
        "experiment": result.experiment.name,
        "design": design_digest(result.experiment),
        "origin": result.origin or describe_machine(),
        "effort": asdict(result.cost),
        "numbers": {
            condition_result.condition.id: {
                "control": _to_json(condition_result.control),
                "treatment": _to_json(condition_result.treatment),
            }
            for condition_result in result.all_conditions
        },
    }


def _from_document(document: dict[str, Any]) -> ExperimentResult | None:
    experiment = parse_experiment(document["experiment"], CLAIMS)
    if experiment is None or design_digest(experiment) != document["design"]:
        return None
    values = {
        condition: (_from_json(arms["control"]), _from_json(arms["treatment"]))
        for condition, arms in document["numbers"].items()
    }
    return judge_experiment(experiment, values, TrainingCost(**document["effort"]), document["origin"])


def _to_json(values: Iterable[float]) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values]


def _from_json(values: Iterable[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]
