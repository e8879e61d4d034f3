"""Groups of runs: launched, attached to, ranked behind single runs, and how far they are together."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, insert, update

from bnlab.runs.groups import (
    GroupProgress,
    group_progress,
    group_runs,
    groups_behind,
    launch_group,
    launched_alone,
    unfinished_groups,
)
from bnlab.runs.run import ACTIVE, Run, RunState
from bnlab.runs.scheduler import queued_in_order
from bnlab.runs.schema import recordings, runs
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import make_evaluation, record_run

TINY = RunSpec(train_examples=64, epochs=1)


def seeds(*chosen: int) -> list[tuple[RunSpec, str]]:
    return [(TINY.model_copy(update={"seed": seed}), f"seed {seed}") for seed in chosen]


def digest(seed: int) -> str:
    return seeds(seed)[0][0].digest


def put(store: Store, seed: int, **values: object) -> Run:
    with store.engine.begin() as connection:
        connection.execute(update(runs).where(runs.c.digest == digest(seed)).values(**values))
    return store.run(digest(seed))


def seeds_of(found: list[Run]) -> list[int]:
    return [run.spec.seed for run in found]


def test_a_group_has_its_runs_in_order_and_they_wait_in_order(store: Store) -> None:
    launched = launch_group(store, "A2", seeds(3, 1, 2), "lab")
    assert seeds_of(launched) == [3, 1, 2]
    assert [(run.label, run.state, run.watched) for run in launched] == [
        (f"seed {seed}", RunState.QUEUED, True) for seed in (3, 1, 2)
    ]
    assert group_runs(Store(store.url), "A2") == launched
    assert queued_in_order(store, {}) == [run.digest for run in launched]
    assert seeds_of(store.claim("lab")) == [3, 1, 2]
    assert group_runs(store, "another") == []


def test_a_group_without_a_name_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="name"):
        launch_group(store, "", seeds(1), "lab")


def test_a_spec_named_twice_is_one_run(store: Store) -> None:
    assert len(launch_group(store, "A2", [*seeds(1, 2), (seeds(1)[0][0], "again")], "lab")) == 2
    assert store.run(digest(1)).label == "seed 1"


def test_a_hundred_specs_are_one_transaction(store: Store) -> None:
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    launch_group(store, "A2", seeds(*range(100)), "lab")
    assert len(commits) == 1


@pytest.mark.parametrize("state", [*ACTIVE, RunState.COMPLETED, RunState.DIVERGED])
def test_launching_again_leaves_runs_that_need_nothing(store: Store, state: RunState) -> None:
    launch_group(store, "A2", seeds(1), "lab")
    run = put(store, 1, state=state, step=2)
    assert launch_group(store, "A2", seeds(1), "another lab") == [run]


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.FAILED])
def test_launching_again_continues_runs_that_were_cut_short(store: Store, state: RunState) -> None:
    launch_group(store, "A2", seeds(1), "lab")
    put(store, 1, state=state, step=1, error="out of memory", stop_requested=True, lease_until=0.0)
    (run,) = launch_group(store, "A2", seeds(1), "another lab")
    assert (run.state, run.step, run.error, run.stop_requested) == (RunState.QUEUED, 1, "", False)
    assert (run.owner, run.watched) == ("another lab", True)


def test_a_stop_that_nobody_has_seen_is_taken_back(store: Store) -> None:
    launch_group(store, "A2", seeds(1), "lab")
    put(store, 1, stop_requested=True)
    assert not launch_group(store, "A2", seeds(1), "lab")[0].stop_requested


def test_a_recorded_run_makes_room_for_one_of_our_own(store: Store) -> None:
    record_run(store, seeds(1)[0][0], (1.0, 2.0), (make_evaluation(0),), RunState.COMPLETED)
    with store.engine.begin() as connection:
        connection.execute(insert(recordings).values(run=digest(1), origin="elsewhere"))
    (run,) = launch_group(store, "A2", seeds(1), "lab")
    assert (run.recorded, run.state, run.step) == ("", RunState.QUEUED, 0)


def test_more_specs_join_a_group(store: Store) -> None:
    launch_group(store, "A2", seeds(0, 1), "lab")
    assert seeds_of(launch_group(store, "A2", seeds(1, 2, 3), "lab")) == [0, 1, 2, 3]


def test_a_deleted_run_leaves_its_groups(store: Store) -> None:
    launch_group(store, "A2", seeds(0, 1), "lab")
    put(store, 0, state=RunState.COMPLETED)
    store.delete([digest(0)])
    assert seeds_of(group_runs(store, "A2")) == [1]


def test_groups_are_unfinished_while_a_run_waits_or_trains(store: Store) -> None:
    launch_group(store, "b", seeds(0), "lab")
    launch_group(store, "a", seeds(1, 2), "lab")
    assert unfinished_groups(store) == ["a", "b"]
    put(store, 0, state=RunState.FAILED)
    put(store, 1, state=RunState.COMPLETED)
    assert unfinished_groups(store) == ["a"]


def test_runs_of_groups_wait_behind_single_ones(store: Store) -> None:
    launch_group(store, "A2", seeds(0, 1), "lab")
    store.launch(*seeds(5)[0], "lab")
    assert groups_behind(store) == {digest(0): "A2", digest(1): "A2"}
    assert queued_in_order(store, {}) == [digest(5), digest(0), digest(1)]
    put(store, 0, state=RunState.COMPLETED)
    assert groups_behind(store) == {digest(1): "A2"}


@pytest.mark.parametrize("first", ["group", "single"])
def test_a_run_wanted_by_itself_as_well_is_a_single_one(store: Store, first: str) -> None:
    if first == "single":
        store.launch(*seeds(1)[0], "lab")
    launch_group(store, "A2", seeds(0, 1), "lab")
    if first == "group":
        store.launch(*seeds(1)[0], "lab")
    launch_group(store, "A3", seeds(1, 2), "lab")
    launch_group(store, "A2", seeds(0, 1), "lab")
    assert groups_behind(store) == {digest(0): "A2", digest(2): "A3"}
    assert launched_alone(store, [digest(0), digest(1), digest(2)]) == {digest(1)}
    assert queued_in_order(store, {}) == [digest(1), digest(0), digest(2)]
    assert seeds_of(group_runs(store, "A2")) == [0, 1]


def test_a_single_run_that_a_group_continues_waits_with_the_group(store: Store) -> None:
    store.launch(*seeds(1)[0], "lab")
    put(store, 1, state=RunState.STOPPED)
    launch_group(store, "A2", seeds(1), "lab")
    assert groups_behind(store) == {digest(1): "A2"}
    store.launch(*seeds(1)[0], "lab")
    put(store, 1, state=RunState.STOPPED)
    launch_group(store, "A2", seeds(1), "lab")
    assert groups_behind(store) == {digest(1): "A2"}


def test_several_processes_may_launch_one_group_at_once(store: Store) -> None:
    stores = [Store(store.url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda own: launch_group(own, "A2", seeds(*range(20)), "lab"), stores))
    assert all(seeds_of(runs) == list(range(20)) for runs in found)
    assert len(store.runs()) == 20


def test_progress_counts_runs_by_how_they_are(store: Store) -> None:
    launch_group(store, "A2", seeds(*range(7)), "lab")
    states = [RunState.COMPLETED, RunState.DIVERGED, RunState.FAILED, RunState.STOPPED, RunState.RUNNING]
    for seed, state in enumerate(states):
        put(store, seed, state=state, step=1 if state is not RunState.COMPLETED else 2, seconds=0.5)
    progress = group_progress(group_runs(store, "A2"))
    assert (progress.done, progress.total, progress.diverged, progress.failed) == (2, 7, 1, 1)
    assert (progress.stopped, progress.waiting) == (1, 2)
    # Of a diverged run nothing is left to do; the others are half done or not begun.
    assert progress.share == pytest.approx((1 + 1 + 0.5 + 0.5 + 0.5) / 7)


def test_time_left_goes_by_the_pace_since_the_launch(store: Store) -> None:
    launch_group(store, "A2", seeds(*range(4)), "lab")
    put(store, 0, state=RunState.COMPLETED, step=2, seconds=1.0)
    put(store, 1, state=RunState.RUNNING, step=1, seconds=0.5)
    members = group_runs(store, "A2")
    launched = members[0].queued_at
    # One and a half of four runs took six seconds, with all that goes on beside the steps.
    assert group_progress(members, launched + 6).seconds_left == pytest.approx(10, rel=1e-3)
    # A night during which nobody trained is not counted.
    assert (group_progress(members, launched + 36_000).seconds_left or 0) < 100


def test_a_run_is_as_long_as_its_steps_take_at_the_speed_of_its_like(store: Store) -> None:
    wide = TINY.model_copy(update={"hidden_units": (600, 200)})
    launch_group(store, "A2", [*seeds(0), (wide, "wide"), (wide.model_copy(update={"seed": 1}), "wide too")], "lab")
    put(store, 0, state=RunState.COMPLETED, step=2, seconds=1.0)
    with store.engine.begin() as connection:
        trained = {"state": RunState.RUNNING, "step": 1, "seconds": 1.5}
        connection.execute(update(runs).where(runs.c.digest == wide.digest).values(trained))
    # Work: 1 s, and 3 s twice, of which 1 s and 1.5 s are done.
    assert group_progress(group_runs(store, "A2")).share == pytest.approx(2.5 / 7)


def test_the_start_of_the_workers_is_taken_for_no_pace(store: Store) -> None:
    launch_group(store, "A2", seeds(*range(20)), "lab")
    launched = group_runs(store, "A2")[0].queued_at
    put(store, 0, state=RunState.RUNNING, step=1, seconds=0.5)
    assert group_progress(group_runs(store, "A2"), launched + 12).seconds_left is None
    for seed in (0, 1):
        put(store, seed, state=RunState.COMPLETED, step=2, seconds=1.0)
    assert group_progress(group_runs(store, "A2"), launched + 12).seconds_left == pytest.approx(108, rel=1e-3)


def test_after_a_stop_the_pace_is_that_since_it_went_on(store: Store) -> None:
    launch_group(store, "A2", seeds(0, 1, 2), "lab")
    put(store, 0, state=RunState.COMPLETED, step=2, seconds=1.0, queued_at=time.time() - 3_600)
    for seed in (1, 2):
        put(store, seed, state=RunState.STOPPED, queued_at=time.time() - 3_600)
    launch_group(store, "A2", seeds(0, 1, 2), "lab")
    launched = store.run(digest(1)).queued_at
    assert group_progress(group_runs(store, "A2"), launched + 4).seconds_left is None
    put(store, 1, state=RunState.COMPLETED, step=2, seconds=1.0)
    assert group_progress(group_runs(store, "A2"), launched + 4).seconds_left == pytest.approx(4, rel=1e-3)


def test_no_time_is_left_to_tell_where_nothing_is_trained(store: Store) -> None:
    assert group_progress([]) == GroupProgress(0, 0, 0, 0, 0, 0, 0.0, None)
    launch_group(store, "A2", seeds(0), "lab")
    waiting = group_progress(group_runs(store, "A2"))
    assert (waiting.share, waiting.seconds_left) == (0.0, None)
    put(store, 0, state=RunState.COMPLETED, step=2, seconds=1.0)
    ended = group_progress(group_runs(store, "A2"))
    assert (ended.share, ended.seconds_left) == (1.0, None)
