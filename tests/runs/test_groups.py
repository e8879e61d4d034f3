"""Groups of runs: launched, attached to, ranked behind single runs, and how far they are together."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, insert

from bnlab.runs.groups import (
    group_runs,
    launch_group,
    launched_singly,
    queue_groups,
    unfinished_groups,
)
from bnlab.runs.run import ACTIVE, Run, RunState
from bnlab.runs.scheduling import LastServed, read_queue
from bnlab.runs.schema import recordings
from bnlab.runs.store import Store
from tests.runs.store_rows import is_leased, tiny_spec, tiny_specs, update_row
from tests.stored_runs import make_evaluation, record_run


def digest(seed: int) -> str:
    return tiny_spec(seed).digest


def seeds_of(members: list[Run]) -> list[int]:
    return [run.spec.seed for run in members]


def test_a_group_has_its_runs_in_order_and_they_wait_in_order(store: Store) -> None:
    launched = launch_group(store, "A2", tiny_specs(3, 1, 2), "owner")
    assert seeds_of(launched) == [3, 1, 2]
    assert [(run.label, run.state, is_leased(run)) for run in launched] == [
        (f"seed {seed}", RunState.QUEUED, True) for seed in (3, 1, 2)
    ]
    assert group_runs(Store(store.url), "A2") == launched
    assert read_queue(store, LastServed()) == [run.digest for run in launched]
    assert seeds_of(store.acquire("owner")) == [3, 1, 2]
    assert group_runs(store, "another") == []


def test_a_group_without_a_name_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="name"):
        launch_group(store, "", tiny_specs(1), "owner")


def test_a_spec_named_twice_is_one_run(store: Store) -> None:
    assert len(launch_group(store, "A2", [*tiny_specs(1, 2), (tiny_spec(1), "again")], "owner")) == 2
    assert store.run(digest(1)).label == "seed 1"


def test_a_hundred_specs_are_one_transaction(store: Store) -> None:
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    launch_group(store, "A2", tiny_specs(*range(100)), "owner")
    assert len(commits) == 1


@pytest.mark.parametrize("state", [*ACTIVE, RunState.COMPLETED, RunState.DIVERGED])
def test_launching_again_keeps_active_and_trained_runs(store: Store, state: RunState) -> None:
    launch_group(store, "A2", tiny_specs(1), "owner")
    run = update_row(store, tiny_spec(1), state=state, step=2)
    assert launch_group(store, "A2", tiny_specs(1), "other") == [run]


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.FAILED])
def test_launching_again_continues_stopped_and_failed_runs(store: Store, state: RunState) -> None:
    launch_group(store, "A2", tiny_specs(1), "owner")
    update_row(store, tiny_spec(1), state=state, step=1, error="out of memory", stop_requested=True, lease_until=0.0)
    (run,) = launch_group(store, "A2", tiny_specs(1), "other")
    assert (run.state, run.step, run.error, run.stop_requested) == (RunState.QUEUED, 1, "", False)
    assert (run.owner, is_leased(run)) == ("other", True)


def test_launching_again_cancels_a_requested_stop(store: Store) -> None:
    launch_group(store, "A2", tiny_specs(1), "owner")
    update_row(store, tiny_spec(1), stop_requested=True)
    assert not launch_group(store, "A2", tiny_specs(1), "owner")[0].stop_requested


def test_launching_replaces_a_recorded_run(store: Store) -> None:
    record_run(store, tiny_spec(1), (1.0, 2.0), (make_evaluation(0),), RunState.COMPLETED)
    with store.engine.begin() as connection:
        connection.execute(insert(recordings).values(run=digest(1), origin="elsewhere"))
    (run,) = launch_group(store, "A2", tiny_specs(1), "owner")
    assert (run.recorded, run.state, run.step) == ("", RunState.QUEUED, 0)


def test_more_specs_join_a_group(store: Store) -> None:
    launch_group(store, "A2", tiny_specs(0, 1), "owner")
    assert seeds_of(launch_group(store, "A2", tiny_specs(1, 2, 3), "owner")) == [0, 1, 2, 3]


def test_a_deleted_run_leaves_its_groups(store: Store) -> None:
    launch_group(store, "A2", tiny_specs(0, 1), "owner")
    update_row(store, tiny_spec(0), state=RunState.COMPLETED)
    store.delete([digest(0)])
    assert seeds_of(group_runs(store, "A2")) == [1]


def test_groups_are_unfinished_while_a_run_waits_or_trains(store: Store) -> None:
    launch_group(store, "b", tiny_specs(0), "owner")
    launch_group(store, "a", tiny_specs(1, 2), "owner")
    assert unfinished_groups(store) == ["a", "b"]
    update_row(store, tiny_spec(0), state=RunState.FAILED)
    update_row(store, tiny_spec(1), state=RunState.COMPLETED)
    assert unfinished_groups(store) == ["a"]


def test_runs_of_groups_wait_behind_single_ones(store: Store) -> None:
    launch_group(store, "A2", tiny_specs(0, 1), "owner")
    store.launch(*tiny_specs(5)[0], "owner")
    assert queue_groups(store) == {digest(0): "A2", digest(1): "A2"}
    assert read_queue(store, LastServed()) == [digest(5), digest(0), digest(1)]
    update_row(store, tiny_spec(0), state=RunState.COMPLETED)
    assert queue_groups(store) == {digest(1): "A2"}


@pytest.mark.parametrize("first", ["group", "single"])
def test_a_run_launched_singly_as_well_is_single(store: Store, first: str) -> None:
    if first == "single":
        store.launch(*tiny_specs(1)[0], "owner")
    launch_group(store, "A2", tiny_specs(0, 1), "owner")
    if first == "group":
        store.launch(*tiny_specs(1)[0], "owner")
    launch_group(store, "A3", tiny_specs(1, 2), "owner")
    launch_group(store, "A2", tiny_specs(0, 1), "owner")
    assert queue_groups(store) == {digest(0): "A2", digest(2): "A3"}
    assert launched_singly(store, [digest(0), digest(1), digest(2)]) == {digest(1)}
    assert read_queue(store, LastServed()) == [digest(1), digest(0), digest(2)]
    assert seeds_of(group_runs(store, "A2")) == [0, 1]


def test_a_single_run_that_a_group_continues_waits_with_the_group(store: Store) -> None:
    store.launch(*tiny_specs(1)[0], "owner")
    update_row(store, tiny_spec(1), state=RunState.STOPPED)
    launch_group(store, "A2", tiny_specs(1), "owner")
    assert queue_groups(store) == {digest(1): "A2"}
    store.launch(*tiny_specs(1)[0], "owner")
    update_row(store, tiny_spec(1), state=RunState.STOPPED)
    launch_group(store, "A2", tiny_specs(1), "owner")
    assert queue_groups(store) == {digest(1): "A2"}


def test_group_launched_concurrently(store: Store) -> None:
    stores = [Store(store.url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        launched = list(pool.map(lambda opened: launch_group(opened, "A2", tiny_specs(*range(20)), "owner"), stores))
    assert all(seeds_of(members) == list(range(20)) for members in launched)
    assert len(store.runs()) == 20
