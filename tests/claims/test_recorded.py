"""Trials that ship: written, read and judged anew; those of a claim that has changed are left out."""

import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bnlab.claims import recorded
from bnlab.claims.case import open_case
from bnlab.claims.evidence import every_condition
from bnlab.claims.recorded import read_trials, recorded_trials, write_trials
from bnlab.claims.registry import CLAIMS
from bnlab.claims.trial import Effort, Trial, judge_trial
from bnlab.claims.verdicts import Verdict

EFFORT = Effort(runs=30, diverged=1, steps=1000, seconds=12.5)


def trial_of(claim: str) -> Trial:
    numbers = {
        condition.name: ([80.0, 81.0, math.nan if place else 82.123456789], [90.0, 92.0, 91.0])
        for place, condition in enumerate(every_condition(CLAIMS[claim]))
    }
    return judge_trial(open_case(CLAIMS[claim], "quick", range(3)), numbers, EFFORT)


def test_a_trial_is_read_as_it_was_held(tmp_path: Path) -> None:
    held, path = trial_of("A2"), tmp_path / "trials.json"
    write_trials([held, trial_of("O1")], path)
    trials = read_trials(path.read_text())
    assert list(trials) == ["A2", "O1"]
    read = trials["A2"]
    assert (read.case, read.effort, read.words) == (held.case, EFFORT, held.words)
    assert read.cells[0].control == (80, 81, 82.1235)
    assert math.isnan(read.cells[1].control[2])
    assert read.cells[1].verdict is Verdict.TOO_FEW
    assert "cores" in read.origin


def test_numbers_of_a_claim_that_has_changed_are_not_its_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trials.json"
    write_trials([trial_of("A1")], path)
    larger = replace(CLAIMS["A1"].quick, changes={"epochs": 3})
    monkeypatch.setitem(recorded.CLAIMS, "A1", replace(CLAIMS["A1"], quick=larger))
    assert read_trials(path.read_text()) == {}
    assert read_trials(json.dumps({"case": "Z9 quick 0:5"})) == {}


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_ships_with_its_trial(claim: str) -> None:
    trial = recorded_trials()[claim]
    assert trial.origin
    assert trial.effort.runs > 0 or not any(trial.case.size.changes)


def test_two_who_ask_at_once_have_them_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def slow(text: str) -> dict[str, Trial]:
        judged.append(text)
        time.sleep(0.05)
        return {}

    monkeypatch.setattr(recorded, "read_trials", slow)
    recorded._shipped_trials.cache_clear()
    with ThreadPoolExecutor(2) as both:
        assert [answer.result() for answer in [both.submit(recorded.recorded_trials) for _ in range(2)]] == [{}, {}]
    recorded._shipped_trials.cache_clear()
    assert len(judged) == 1
