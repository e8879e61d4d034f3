"""How far a group's runs are together."""

import time

import pytest
from sqlalchemy import update

from bnlab.runs.groups import group_runs, launch_group
from bnlab.runs.progress import GroupProgress, group_progress
from bnlab.runs.run import RunState
from bnlab.runs.schema import runs
from bnlab.runs.store import Store
from tests.runs.store_rows import TINY, tiny_spec, tiny_specs, update_row


def test_progress_counts_runs_by_state(store: Store) -> None:
    launch_group(store, "A2", tiny_specs(*range(7)), "owner")
    states = [RunState.COMPLETED, RunState.DIVERGED, RunState.FAILED, RunState.STOPPED, RunState.RUNNING]
    for seed, state in enumerate(states):
        update_row(store, tiny_spec(seed), state=state, step=1 if state is not RunState.COMPLETED else 2, seconds=0.5)
    progress = group_progress(group_runs(store, "A2"))
    assert (progress.done, progress.total, progress.diverged, progress.failed) == (2, 7, 1, 1)
    assert (progress.stopped, progress.waiting) == (1, 2)
    # Of a diverged run nothing is left to do; the others are half done or not begun.
    assert progress.share == pytest.approx((1 + 1 + 0.5 + 0.5 + 0.5) / 7)


def test_seconds_left_at_the_pace_since_the_launch(store: Store) -> None:
    launch_group(store, "A2", tiny_specs(*range(4)), "owner")
    update_row(store, tiny_spec(0), state=RunState.COMPLETED, step=2, seconds=1.0)
    update_row(store, tiny_spec(1), state=RunState.RUNNING, step=1, seconds=0.5)
    members = group_runs(store, "A2")
    launched = members[0].queued_at
    # One and a half of four runs took six seconds, with all that goes on beside the steps.
    assert group_progress(members, launched + 6).seconds_left == pytest.approx(10, rel=1e-3)
    # Ten hours without training are not counted.
    assert (group_progress(members, launched + 36_000).seconds_left or 0) < 100


def test_work_is_estimated_from_runs_of_the_same_program(store: Store) -> None:
    wide = TINY.model_copy(update={"hidden_units": (600, 200)})
    launch_group(
        store, "A2", [*tiny_specs(0), (wide, "wide"), (wide.model_copy(update={"seed": 1}), "wide too")], "owner"
    )
    update_row(store, tiny_spec(0), state=RunState.COMPLETED, step=2, seconds=1.0)
    with store.engine.begin() as connection:
        trained = {"state": RunState.RUNNING, "step": 1, "seconds": 1.5}
        connection.execute(update(runs).where(runs.c.digest == wide.digest).values(trained))
    # Work: 1 s, and 3 s twice, of which 1 s and 1.5 s are done.
    assert group_progress(group_runs(store, "A2")).share == pytest.approx(2.5 / 7)


def test_no_seconds_left_before_some_work_is_done(store: Store) -> None:
    launch_group(store, "A2", tiny_specs(*range(20)), "owner")
    launched = group_runs(store, "A2")[0].queued_at
    update_row(store, tiny_spec(0), state=RunState.RUNNING, step=1, seconds=0.5)
    assert group_progress(group_runs(store, "A2"), launched + 12).seconds_left is None
    for seed in (0, 1):
        update_row(store, tiny_spec(seed), state=RunState.COMPLETED, step=2, seconds=1.0)
    assert group_progress(group_runs(store, "A2"), launched + 12).seconds_left == pytest.approx(108, rel=1e-3)


def test_seconds_left_after_a_stop_ignore_the_time_before(store: Store) -> None:
    launch_group(store, "A2", tiny_specs(0, 1, 2), "owner")
    update_row(store, tiny_spec(0), state=RunState.COMPLETED, step=2, seconds=1.0, queued_at=time.time() - 3_600)
    for seed in (1, 2):
        update_row(store, tiny_spec(seed), state=RunState.STOPPED, queued_at=time.time() - 3_600)
    launch_group(store, "A2", tiny_specs(0, 1, 2), "owner")
    launched = store.run(tiny_spec(1).digest).queued_at
    assert group_progress(group_runs(store, "A2"), launched + 4).seconds_left is None
    update_row(store, tiny_spec(1), state=RunState.COMPLETED, step=2, seconds=1.0)
    assert group_progress(group_runs(store, "A2"), launched + 4).seconds_left == pytest.approx(4, rel=1e-3)


def test_no_seconds_left_without_active_runs(store: Store) -> None:
    assert group_progress([]) == GroupProgress(0, 0, 0, 0, 0, 0, 0.0, None)
    launch_group(store, "A2", tiny_specs(0), "owner")
    waiting = group_progress(group_runs(store, "A2"))
    assert (waiting.share, waiting.seconds_left) == (0.0, None)
    update_row(store, tiny_spec(0), state=RunState.COMPLETED, step=2, seconds=1.0)
    ended = group_progress(group_runs(store, "A2"))
    assert (ended.share, ended.seconds_left) == (1.0, None)
