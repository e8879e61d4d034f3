"""Which runs are being trained, and how fast, from the commits that were seen."""

import dataclasses

import pytest

from bnlab.runs.activity import RECENT_SECONDS, WINDOW_SECONDS, ActivityMeter, trained_elsewhere
from bnlab.runs.run import Run, RunState
from bnlab.specs.run_spec import RunSpec

SPEC = RunSpec(train_examples=32_000, batch_size=10)
BEGUN = Run("0", "A", SPEC, RunState.RUNNING, 0, 9_000, 0.0, 0.0, 0.0, 0.0, "", False, "us", 0.0)


def committed(step: int, at: float, digest: str = "0") -> Run:
    return dataclasses.replace(BEGUN, digest=digest, step=step, updated_at=at)


def test_speed_is_that_of_the_last_seconds() -> None:
    meter = ActivityMeter()
    assert meter.speeds([committed(0, 100)], 100) == {}
    assert meter.speeds([committed(0, 100)], 101) == {}, "no commit yet"
    assert meter.speeds([committed(50, 101)], 101) == {"0": 500}
    speed: dict[str, float] = {}
    for second in range(2, 20):
        speed = meter.speeds([committed(50 + 100 * second, 100 + second)], 100 + second)
    assert speed == {"0": 1_000}, "the slow start is more than the window ago"
    assert meter.speeds([committed(50 + 1_900, 119)], 119 + WINDOW_SECONDS) == {"0": 0}
    assert meter.speeds([dataclasses.replace(committed(1_950, 119), state=RunState.COMPLETED)], 119) == {}


def test_a_run_begun_anew_has_no_speed_yet() -> None:
    meter = ActivityMeter()
    meter.speeds([committed(500, 100)], 100)
    assert meter.speeds([committed(700, 102)], 102) == {"0": 1_000}
    assert meter.speeds([committed(10, 103)], 103) == {}


@pytest.mark.parametrize("workers", [1, 2])
def test_speeds_of_runs_that_take_turns_add_up_to_that_of_the_workers(workers: int) -> None:
    """Twenty runs in slices of 3 s with a commit each half second, 1,000 steps per second of a slice."""
    meter, steps, totals = ActivityMeter(), dict.fromkeys(range(20), 0), []
    runs = {index: committed(0, 0, str(index)) for index in steps}
    for tick in range(1, 400):
        now = tick / 2
        turn = int((now - 0.5) // 3)
        for worker in range(workers):
            index = (turn * workers + worker) % 20
            steps[index] += 500
            runs[index] = committed(steps[index], now, str(index))
        speeds = meter.speeds(runs.values(), now)
        if now > 130:  # every run has had two turns
            totals.append(sum(speeds.values()))
            assert max(speeds.values()) <= 10_000
    assert min(totals) == max(totals) == workers * 10_000


def test_runs_of_another_scheduler_are_being_trained_while_they_commit() -> None:
    runs = [
        committed(1, 100, "own"),
        dataclasses.replace(committed(1, 100, "other"), owner="them"),
        dataclasses.replace(committed(1, 100 - RECENT_SECONDS, "silent"), owner="them"),
        dataclasses.replace(committed(1, 100, "stopped"), owner="them", state=RunState.STOPPED),
    ]
    assert trained_elsewhere(runs, "us", 100.5) == {"other"}
