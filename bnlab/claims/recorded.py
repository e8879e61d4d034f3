"""Trials that ship with bnlab, so that every claim has a verdict at first sight: their numbers, not their runs."""

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

from bnlab.claims.case import Case, read_case
from bnlab.claims.evidence import every_condition, sized
from bnlab.claims.registry import CLAIMS
from bnlab.claims.trial import Effort, Trial, judge_trial
from bnlab.runs.recordings import machine

DIGITS = 6
_judging = threading.Lock()  # who comes second waits, instead of judging them again
SHIPPED = files("bnlab.claims") / "data" / "trials.json"


def write_trials(trials: Iterable[Trial], path: Path) -> None:
    """Write the numbers of `trials` to `path`, a line a trial."""
    lines = [json.dumps(_packed(trial), ensure_ascii=False, allow_nan=False) for trial in trials]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def recorded_trials() -> dict[str, Trial]:
    """The trials that ship, by their claim's id. Judging them takes a second, once a process."""
    with _judging:
        return _shipped_trials()


@cache
def _shipped_trials() -> dict[str, Trial]:
    return read_trials(SHIPPED.read_text(encoding="utf-8"))


def read_trials(text: str) -> dict[str, Trial]:
    """Trials by their claim's id, judged anew from their numbers; one whose claim has changed since is left out."""
    found = (_unpacked(json.loads(line)) for line in text.splitlines())
    return {trial.case.claim.id: trial for trial in found if trial is not None}


def _packed(trial: Trial) -> dict[str, Any]:
    cells = (*trial.cells, *trial.beside)
    return {
        "case": trial.case.name,
        "origin": trial.origin or machine(),
        "effort": asdict(trial.effort),
        "rules": _rules(trial.case),
        "numbers": {cell.condition.name: [_rounded(cell.control), _rounded(cell.treatment)] for cell in cells},
    }


def _unpacked(packed: dict[str, Any]) -> Trial | None:
    case = read_case(packed["case"], CLAIMS)
    if case is None or _rules(case) != packed["rules"]:
        return None
    numbers = {
        name: ([_number(value) for value in control], [_number(value) for value in treatment])
        for name, (control, treatment) in packed["numbers"].items()
    }
    return judge_trial(case, numbers, Effort(**packed["effort"]), packed["origin"])


def _rules(case: Case) -> str:
    """A hash of what each condition measures, and of what: numbers of anything else are not this case's."""
    seed = case.seeds.start
    rules = []
    for condition in every_condition(case.claim):
        specs = [spec.digest for arm in condition.arms for spec in sized(arm, case, seed)]
        rules.append([condition.name, condition.measure.name, *specs])
    return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:16]


def _rounded(values: Iterable[float]) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values]


def _number(value: float | None) -> float:
    return math.nan if value is None else value
