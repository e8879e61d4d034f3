"""How far a variant is, in words."""

import dataclasses
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.run import Run
from bnlab.runs.states import RunState
from bnlab.spec.run_spec import RunSpec
from bnlab.ui.progress import FIRST_ESTIMATE_SECONDS, STALE_SECONDS, progress_of, summary_of, words_of

SPEC = RunSpec(train_examples=32_000, batch_size=32, epochs=2)
WAITING = Run(SPEC.digest, "A", SPEC, RunState.QUEUED, 0, 2000, 0.0, 0.0, 0.0, 0.0, "", False, "", 0.0)


def run(state: RunState, step: int = 0, **changes: Any) -> Run:
    """A run of 2000 steps, a thousandth of a second each, heard of just now."""
    given = {"state": state, "step": step, "seconds": step / 1000, "updated_at": time.time()} | changes
    return dataclasses.replace(WAITING, **given)


RECORDED = run(RunState.COMPLETED, recorded="yesterday")


def words(state: RunState, step: int = 0, queue: dict[str, int] | None = None, **changes: Any) -> str:
    """Of a variant with one seed."""
    return words_of([run(state, step, **changes)], 1, queue or {})


def test_what_was_never_launched_is_not_trained() -> None:
    assert words_of([], 1, {}) == words_of([], 5, {}) == "Not trained yet"
    assert progress_of([], 3) == 0


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (RunState.QUEUED, "Waiting for a worker, at step 1,500 of 2,000"),
        (RunState.RUNNING, "Training, step 1,500 of 2,000, 32,000 images/s, 0 s left"),
        (RunState.COMPLETED, "Done: 1.5 s of training"),
        (RunState.STOPPED, "Stopped at step 1,500 of 2,000"),
        (RunState.FAILED, "Failed at step 1,500 of 2,000"),
        (RunState.DIVERGED, "Diverged: the loss was no longer a number at step 1,500 of 2,000"),
    ],
)
def test_each_state_has_its_words(state: RunState, said: str) -> None:
    assert words(state, 1500) == said


@pytest.mark.parametrize(
    ("place", "said"), [(0, ""), (1, ""), (2, ", number 2 in the queue"), (12, ", number 12 in the queue")]
)
def test_who_waits_knows_the_place_unless_it_is_the_next(place: int, said: str) -> None:
    queue = {SPEC.digest: place} if place else {"other": 7}
    assert words(RunState.QUEUED, queue=queue) == f"Waiting for a worker{said}"
    assert words(RunState.QUEUED, 10, queue) == f"Waiting for a worker{said}, at step 10 of 2,000"


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([], "Not trained yet."),
        ([RECORDED] * 3, "Recorded, not trained here (yesterday)."),
        ([run(RunState.COMPLETED)] * 3, "All trained. Another seed or more epochs make new runs."),
        ([run(RunState.COMPLETED)] * 2, "Runs: 2 of 3 done, 1 not trained yet."),
        ([RECORDED] * 2, "Runs: 2 of 3 done (recorded), 1 not trained yet."),
        ([RECORDED, RECORDED, run(RunState.RUNNING)], "Runs: 2 of 3 done (recorded), 1 training."),
        ([RECORDED, run(RunState.COMPLETED)], "Runs: 2 of 3 done (1 recorded, 1 trained here), 1 not trained yet."),
        ([RECORDED, RECORDED, run(RunState.COMPLETED)], "Runs: 3 of 3 done (2 recorded, 1 trained here)."),
        (
            [run(RunState.RUNNING), run(RunState.QUEUED), run(RunState.QUEUED)],
            "Runs: 0 of 3 done, 1 training, 2 waiting.",
        ),
        ([run(state) for state in list(RunState)[-3:]], "Runs: 0 of 3 done, 1 stopped, 1 failed, 1 diverged."),
    ],
)
def test_a_comparison_is_told_in_one_line(runs: list[Run], said: str) -> None:
    assert summary_of(runs, 3) == said


def test_an_estimate_needs_some_training_first() -> None:
    assert words(RunState.RUNNING) == "Training, step 0 of 2,000"
    early = FIRST_ESTIMATE_SECONDS * 0.9
    assert words(RunState.RUNNING, 100, seconds=early) == "Training, step 100 of 2,000"
    assert words(RunState.RUNNING, 100, seconds=0.5).endswith(", 6,400 images/s, 10 s left")


def test_a_stop_that_was_asked_for_is_said() -> None:
    assert words(RunState.RUNNING, 500, stop_requested=True).startswith("Stopping, step 500 of 2,000")


def test_a_worker_that_says_nothing_is_told() -> None:
    quiet = time.time() - STALE_SECONDS
    assert "left" in words(RunState.RUNNING, 500, updated_at=quiet + 5)
    assert words(RunState.RUNNING, 500, updated_at=quiet - 10) == (
        "Training, step 500 of 2,000, no word from its worker for 30 s"
    )


def test_what_came_along_was_not_trained_here() -> None:
    assert words(RunState.COMPLETED, 2000, recorded="1 May 2026") == "Recorded: 2.0 s of training"
    seeds = [run(RunState.COMPLETED, 2000, recorded="1 May 2026"), run(RunState.COMPLETED, 2000)]
    assert words_of(seeds, 3, {}) == "2 of 3 seeds done (1 recorded, 1 trained here)"
    assert words_of(seeds[:1], 3, {}) == "1 of 3 seeds done (recorded)"
    assert words_of([*seeds[:1], run(RunState.RUNNING)], 3, {}) == "1 of 3 seeds done (recorded), training"


def test_several_seeds_are_counted() -> None:
    done, active = run(RunState.COMPLETED, 2000), run(RunState.RUNNING, 500)
    waiting = run(RunState.QUEUED, 1000)
    assert words_of([done] * 3, 3, {}) == "3 of 3 seeds done"
    assert words_of([done], 3, {}) == "1 of 3 seeds done"
    pace = "1 of 3 seeds done, training, 32,000 images/s"
    assert words_of([done, active, waiting], 3, {}) == f"{pace}, 2 s of training left", "1.5 and 1 s"
    assert words_of([done, active, WAITING], 3, {}) == pace, "nobody knows how fast the third will be"


def test_seeds_that_ended_otherwise_are_told_apart() -> None:
    ends = [RunState.STOPPED, RunState.DIVERGED, RunState.FAILED, RunState.STOPPED, RunState.COMPLETED]
    runs = [run(state, 2000 if state is RunState.COMPLETED else 500) for state in ends]
    assert words_of(runs, 5, {}) == "1 of 5 seeds done, 2 stopped, 1 failed, 1 diverged"


def test_progress_counts_every_seed() -> None:
    runs = [run(RunState.COMPLETED, 2000), run(RunState.RUNNING, 500)]
    assert progress_of(runs, 2) == 0.625
    assert progress_of(runs, 5) == 0.25
    assert progress_of(runs[:1], 1) == 1


@given(st.lists(st.tuples(st.sampled_from(list(RunState)), st.integers(0, 2000)), max_size=20), st.integers(0, 3))
def test_there_are_always_words_and_a_fraction(given: list[tuple[RunState, int]], more: int) -> None:
    runs, seeds = [run(state, step) for state, step in given], max(len(given), 1) + more
    assert 0 <= progress_of(runs, seeds) <= 1
    said = words_of(runs, seeds, {SPEC.digest: 2})
    assert said
    assert "None" not in said
    assert "nan" not in said


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([run(RunState.RUNNING, 500), run(RunState.RUNNING, 500)], "training, 64,000 images/s, 3 s of training left"),
        ([run(RunState.RUNNING, 500), run(RunState.QUEUED)], "training, 32,000 images/s"),
        ([run(RunState.RUNNING, 500, stop_requested=True)], "stopping, 32,000 images/s, 2 s of training left"),
        ([run(RunState.QUEUED)], "number 4 in the queue"),
        ([run(RunState.QUEUED), run(RunState.STOPPED, 9)], "1 stopped, number 4 in the queue"),
    ],
)
def test_several_seeds_are_told_together(runs: list[Run], said: str) -> None:
    assert words_of(runs, 3, {SPEC.digest: 4, "other": 1}) == f"0 of 3 seeds done, {said}"
    assert words_of([run(RunState.QUEUED)], 3, {SPEC.digest: 1}) == "0 of 3 seeds done, waiting for a worker"
