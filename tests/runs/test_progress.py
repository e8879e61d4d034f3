"""Texts about the progress of variants and comparisons."""

import dataclasses
import time
from typing import Any

import pytest

from bnlab.runs.activity import Activity
from bnlab.runs.estimates import Place
from bnlab.runs.progress import STALE_SECONDS, fraction_done, state_text, summary_text
from bnlab.runs.run import MEASURED_SECONDS, MEASURED_STEPS, Run, RunState
from bnlab.specs.run_spec import RunSpec
from tests.sentences import names_in_order, numbers_in

SPEC = RunSpec(train_examples=32_000, batch_size=32, epochs=2)
WAITING = Run(SPEC.digest, "A", SPEC, RunState.QUEUED, 0, 2000, 0.0, 0.0, 0.0, 0.0, "", False, "", 0.0)


def run(state: RunState, step: int = 0, **changes: Any) -> Run:
    """A run of 2000 steps, a thousandth of a second each, updated just now."""
    fields = {"state": state, "step": step, "seconds": step / 1000, "updated_at": time.time()} | changes
    return dataclasses.replace(WAITING, **fields)


RECORDED = run(RunState.COMPLETED, recorded="yesterday")


TRAINING = Activity({SPEC.digest}, {SPEC.digest: 32_000.0})


def text(state: RunState, step: int = 0, queue: dict[str, Place] | None = None, **changes: Any) -> str:
    """Of a variant with one seed, which a worker is training if it is RUNNING."""
    return state_text([run(state, step, **changes)], 1, queue or {}, TRAINING if state is RunState.RUNNING else None)


def test_no_runs() -> None:
    assert state_text([], 1, {}) == state_text([], 5, {}) == "Not trained yet"
    assert fraction_done([], 3) == 0


@pytest.mark.parametrize(
    ("state", "numbers"),
    [
        (RunState.QUEUED, [1500, 2000]),
        (RunState.RUNNING, [1500, 2000, 32_000, 0]),
        (RunState.COMPLETED, [1.5]),
        (RunState.STOPPED, [1500, 2000]),
        (RunState.FAILED, [1500, 2000]),
        (RunState.DIVERGED, [1500, 2000]),
    ],
)
def test_each_state_has_another_text(state: RunState, numbers: list[float]) -> None:
    """Step, steps, images a second and seconds left, as far as they are known; or the seconds it took."""
    assert numbers_in(text(state, 1500)) == numbers
    assert [other for other in RunState if text(other, 1500) == text(state, 1500)] == [state]


@pytest.mark.parametrize(("position", "numbers"), [(0, []), (1, []), (2, [2]), (12, [12])])
def test_queue_position_is_shown_unless_first(position: int, numbers: list[float]) -> None:
    queue = {SPEC.digest: Place(position)} if position else {"other": Place(7)}
    assert numbers_in(text(RunState.QUEUED, queue=queue)) == numbers
    assert numbers_in(text(RunState.QUEUED, 10, queue)) == [*numbers, 10, 2000]


@pytest.mark.parametrize(
    ("place", "numbers"), [(Place(1, 7.0), [7]), (Place(2, 40.0), [2, 40]), (Place(2, 0.0), [2]), (Place(2, None), [2])]
)
def test_the_wait_is_shown_in_seconds_where_it_is_known(place: Place, numbers: list[float]) -> None:
    assert numbers_in(text(RunState.QUEUED, queue={SPEC.digest: place})) == numbers


@pytest.mark.parametrize(
    ("runs", "numbers", "names"),
    [
        ([], [], []),
        ([RECORDED] * 3, [], ["yesterday"]),
        ([run(RunState.COMPLETED)] * 3, [], []),
        ([run(RunState.COMPLETED)] * 2, [2, 3, 1], ["done", "not trained"]),
        ([RECORDED] * 2, [2, 3, 1], ["done", "recorded", "not trained"]),
        ([RECORDED, RECORDED, run(RunState.RUNNING)], [2, 3, 1], ["done", "recorded", "training"]),
        ([RECORDED, run(RunState.COMPLETED)], [2, 3, 1, 1, 1], ["done", "recorded", "trained", "not trained"]),
        ([RECORDED, RECORDED, run(RunState.COMPLETED)], [3, 3, 2, 1], ["done", "recorded", "trained"]),
        ([run(RunState.RUNNING), run(RunState.QUEUED), run(RunState.QUEUED)], [0, 3, 1, 2], ["training", "waiting"]),
        ([run(state) for state in list(RunState)[-3:]], [0, 3, 1, 1, 1], ["stopped", "failed", "diverged"]),
    ],
)
def test_summary_of_a_comparison(runs: list[Run], numbers: list[float], names: list[str]) -> None:
    summary = summary_text(runs, 3)
    assert numbers_in(summary) == numbers
    assert names_in_order(summary, *names)
    assert "\n" not in summary


def test_no_estimate_before_some_training() -> None:
    early = MEASURED_STEPS - 1
    assert numbers_in(text(RunState.RUNNING, early, seconds=0.5)) == [early, 2000, 32_000]
    assert numbers_in(text(RunState.RUNNING, MEASURED_STEPS, seconds=0.5)) == [MEASURED_STEPS, 2000, 32_000, 10]
    assert numbers_in(text(RunState.RUNNING, 1, seconds=MEASURED_SECONDS)) == [1, 2000, 32_000, 1999 * 5]


def test_the_workers_start_is_shown_instead_of_steps() -> None:
    starting = Activity(starting=7.4)
    for runs, seeds in (([run(RunState.QUEUED)], 1), ([run(RunState.QUEUED)] * 2, 2), ([run(RunState.RUNNING, 9)], 1)):
        assert "TensorFlow" in state_text(runs, seeds, {}, starting)
        assert numbers_in(state_text(runs, seeds, {}, starting)) == [7]
    assert "TensorFlow" not in state_text([run(RunState.COMPLETED, 2000)], 1, {}, starting)


def test_no_step_is_shown_before_the_first() -> None:
    assert numbers_in(text(RunState.RUNNING)) == []
    assert "ompil" in text(RunState.RUNNING)
    assert "topping" in text(RunState.RUNNING, stop_requested=True)


def test_requested_stop_is_shown() -> None:
    stopping = text(RunState.RUNNING, 500, stop_requested=True)
    assert numbers_in(stopping)[:2] == [500, 2000]
    assert stopping != text(RunState.RUNNING, 500)


def test_missing_commits_are_shown() -> None:
    quiet = time.time() - STALE_SECONDS
    assert len(numbers_in(text(RunState.RUNNING, 500, updated_at=quiet + 5))) == 4
    assert numbers_in(text(RunState.RUNNING, 500, updated_at=quiet - 10)) == [500, 2000, 30]


def test_recorded_runs_are_told_apart() -> None:
    recorded = text(RunState.COMPLETED, 2000, recorded="1 May 2026")
    assert numbers_in(recorded) == [2]
    assert recorded != text(RunState.COMPLETED, 2000)
    seeds = [run(RunState.COMPLETED, 2000, recorded="1 May 2026"), run(RunState.COMPLETED, 2000)]
    assert numbers_in(state_text(seeds, 3, {})) == [2, 3, 1, 1]
    one, active = state_text(seeds[:1], 3, {}), state_text([*seeds[:1], run(RunState.RUNNING)], 3, {})
    assert (numbers_in(one), numbers_in(active)) == ([1, 3], [1, 3, 1])
    assert "recorded" in one
    assert active.startswith(one), "and that the next one trains"
    assert active != one


def test_several_seeds_are_counted() -> None:
    done, active = run(RunState.COMPLETED, 2000), run(RunState.RUNNING, 500)
    waiting = run(RunState.QUEUED, 1000)
    assert numbers_in(state_text([done] * 3, 3, {})) == [3, 3]
    assert numbers_in(state_text([done], 3, {})) == [1, 3]
    assert numbers_in(state_text([done, active, waiting], 3, {})) == [1, 3, 1, 1, 2], "1.5 and 1 s"
    assert numbers_in(state_text([done, active, WAITING], 3, {})) == [1, 3, 1, 1], "how fast is the third?"


def test_how_long_a_variant_waits_comes_before_how_much_of_it_is_done() -> None:
    done, queue = run(RunState.COMPLETED, 2000), {SPEC.digest: Place(3, 8.0)}
    waits = state_text([done, WAITING], 3, queue, Activity())
    assert numbers_in(waits) == [3, 8, 1, 3]
    assert names_in_order(waits, "Number 3", "8 s", "1 of 3")


def test_a_run_between_two_slices_waits() -> None:
    between = run(RunState.RUNNING, 500, updated_at=time.time() - 3 * STALE_SECONDS)
    waits = state_text([between], 1, {}, Activity())
    assert names_in_order(waits, "Waiting", "step")
    assert numbers_in(waits) == [500, 2000]
    summary = summary_text([between, run(RunState.RUNNING, 10)], 2, Activity())
    assert numbers_in(summary) == [0, 2, 2]
    assert names_in_order(summary, "done", "waiting")


def test_eight_variants_of_twenty_seeds_on_two_workers() -> None:
    """All 160 runs have begun and take turns; two are being trained, at 13,000 images per second together."""
    variants = [
        [
            dataclasses.replace(run(RunState.RUNNING, 500), digest=f"{variant}-{seed}", updated_at=0)
            for seed in range(20)
        ]
        for variant in range(8)
    ]
    activity = Activity({"0-0", "5-7"}, {"0-0": 7_000.0, "5-7": 6_000.0} | {f"3-{seed}": 0.0 for seed in range(20)})
    texts = [state_text(variant, 20, {}, activity) for variant in variants]
    assert [numbers_in(text)[2:-1] for text in texts] == [
        [1, 19, 7_000] if index == 0 else [1, 19, 6_000] if index == 5 else [] for index in range(8)
    ]
    summary = summary_text([run for variant in variants for run in variant], 160, activity)
    assert numbers_in(summary) == [0, 160, 2, 158, 13_000]
    assert names_in_order(summary, "done", "training", "waiting", "images/s")


def test_ended_seeds_are_counted_by_state() -> None:
    ends = [RunState.STOPPED, RunState.DIVERGED, RunState.FAILED, RunState.STOPPED, RunState.COMPLETED]
    runs = [run(state, 2000 if state is RunState.COMPLETED else 500) for state in ends]
    assert numbers_in(state_text(runs, 5, {})) == [1, 5, 2, 1, 1]
    assert names_in_order(state_text(runs, 5, {}), "done", "stopped", "failed", "diverged")
