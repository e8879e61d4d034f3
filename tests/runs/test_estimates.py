"""Estimates of how long runs take and wait, from measured step times."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.estimates import (
    OVERHEAD,
    RUN_SECONDS,
    Place,
    StepTimeEstimates,
    about_text,
    launch_seconds,
    measure_step_times,
    places,
    read_step_times,
    round_seconds,
)
from bnlab.runs.run import Run, RunState
from bnlab.runs.store import Store
from bnlab.runs.worker import SLICE_SECONDS
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import OWNER, make_evaluation, record_run

SMALL = RunSpec(train_examples=320, epochs=1, hidden_units=(10,))
WIDE = SMALL.model_copy(update={"hidden_units": (1000, 1000)})
LONG = SMALL.model_copy(update={"train_examples": None, "epochs": 1000})


def run_of(spec: RunSpec, step: int = 0, seconds: float = 0.0, state: RunState = RunState.QUEUED) -> Run:
    return Run(
        spec.digest, "A", spec, state, step, spec.total_steps, seconds, 0.0, 0.0, 0.0, "", False, "", 0.0
    )  # fmt: skip


def test_measured_steps_take_what_they_took() -> None:
    times = measure_step_times([run_of(SMALL, 10, 0.02), run_of(SMALL.model_copy(update={"seed": 1}), 10, 0.04)])
    assert times.step_seconds(SMALL.model_copy(update={"learning_rate": 0.5, "epochs": 9})) == pytest.approx(0.003)
    assert times.run_seconds(SMALL, 4) == pytest.approx(6 * 0.003 * OVERHEAD + RUN_SECONDS)


def test_the_first_steps_of_a_stopped_run_do_not_count() -> None:
    early = run_of(LONG, 2, 3.0, RunState.STOPPED)
    assert early.seconds_left is None
    assert measure_step_times([early]) == StepTimeEstimates()
    other = run_of(LONG.model_copy(update={"seed": 1}), 1000, 1.0, RunState.STOPPED)
    assert measure_step_times([early, other]).step_seconds(LONG) == pytest.approx(0.001)


def test_unknown_networks_are_estimated_by_their_size_and_by_this_machine() -> None:
    rough = StepTimeEstimates()
    assert rough.step_seconds(WIDE) > 3 * rough.step_seconds(SMALL)
    batches = SMALL.model_copy(update={"batch_size": 320})
    assert rough.step_seconds(batches) > rough.step_seconds(SMALL)
    slow = measure_step_times([run_of(SMALL, 10, 10 * 7 * rough.step_seconds(SMALL))])
    assert slow.step_seconds(WIDE) == pytest.approx(7 * rough.step_seconds(WIDE))


def test_step_times_are_read_from_runs_trained_here(tmp_path: object) -> None:
    store = Store(f"sqlite:///{tmp_path}/bnlab.db")
    store.launch(WIDE, "waiting", OWNER)
    assert read_step_times(store) == StepTimeEstimates()
    record_run(store, SMALL, (1.0,) * SMALL.total_steps, (make_evaluation(0),), RunState.RUNNING)
    assert read_step_times(store).step_seconds(SMALL) == pytest.approx(0.1)


def test_a_launch_takes_as_long_as_its_work_and_as_its_longest_run() -> None:
    times = StepTimeEstimates()
    one = times.run_seconds(LONG)
    assert launch_seconds([(LONG, 0)] * 8, times, 2) == pytest.approx(4 * one)
    assert launch_seconds([(LONG, 0)], times, 2) == pytest.approx(one)
    assert launch_seconds([(LONG, LONG.total_steps // 2)], times, 1) == pytest.approx(one / 2, rel=0.01)
    assert launch_seconds([], times, 0) == 0


def test_a_run_waits_for_a_slice_of_each_before_it() -> None:
    waiting = {run.digest: run for run in (run_of(LONG.model_copy(update={"seed": seed})) for seed in range(5))}
    begun = run_of(SMALL, 5, state=RunState.RUNNING)
    order = [*[*waiting][:2], begun.digest, *[*waiting][2:]]
    found = places(order, waiting | {begun.digest: begun}, StepTimeEstimates(), 2, 2)
    assert [place.number for place in found.values()] == [1, 2, 3, 4, 5]
    assert list(found) == list(waiting)
    seconds = [place.seconds or 0.0 for place in found.values()]
    assert seconds == sorted(seconds)
    assert seconds[0] == round_seconds(SLICE_SECONDS / 2)
    assert seconds[-1] == pytest.approx(5 * SLICE_SECONDS / 2, abs=4), "five before it, on two workers"


def test_an_idle_worker_takes_a_run_at_once_and_without_workers_nobody_knows() -> None:
    waiting = {SMALL.digest: run_of(SMALL)}
    assert places(list(waiting), waiting, StepTimeEstimates(), 2, 1) == {SMALL.digest: Place(1, 0.0)}
    assert places(list(waiting), waiting, StepTimeEstimates(), 0, 0) == {SMALL.digest: Place(1, None)}
    stopped = {SMALL.digest: dataclasses.replace(run_of(SMALL), step=3)}
    assert places(list(stopped), stopped, StepTimeEstimates(), 2, 0) == {SMALL.digest: Place(1, 0.0)}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "about 1 s"),
        (7.4, "about 7 s"),
        (42, "about 40 s"),
        (119, "about 2 minutes"),
        (600, "about 10 minutes"),
        (3 * 3600 + 60, "about 3 hours"),
        (9_100, "about 2.5 hours"),
    ],
)
def test_estimates_are_said_as_precisely_as_they_are(seconds: float, text: str) -> None:
    assert about_text(seconds) == text


@given(st.floats(0.5, 1e6))
def test_rounding_is_close_and_changes_nothing_more(seconds: float) -> None:
    rounded = round_seconds(seconds)
    assert round_seconds(rounded) == rounded
    assert rounded == pytest.approx(seconds, rel=0.26, abs=0.5)
