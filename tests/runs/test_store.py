"""The store: launching, stopping and deleting runs."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import insert

from bnlab.runs.run import ACTIVE, Run, RunState
from bnlab.runs.schema import groups, metadata, recordings, run_shares
from bnlab.runs.store import LEASE_SECONDS, Store
from bnlab.specs.run_spec import RunSpec
from tests.runs.store_rows import FINISHED, OTHER, SPEC, is_leased, row_counts, update_row
from tests.spec_strategies import specs
from tests.stored_runs import make_evaluation, record_run


def test_a_new_run_waits_at_step_0(store: Store) -> None:
    before = time.time()
    run = store.launch(SPEC, "A", "owner")
    assert (run.digest, run.label, run.spec) == (SPEC.digest, "A", SPEC)
    assert (run.state, run.step, run.total_steps, run.seconds) == (RunState.QUEUED, 0, 6, 0.0)
    assert before <= run.created_at == run.queued_at == run.updated_at <= time.time()
    assert (run.error, run.stop_requested, run.owner) == ("", False, "owner")
    assert is_leased(run)
    assert run.lease_until == pytest.approx(run.created_at + LEASE_SECONDS)
    assert store.runs() == [run]


def test_another_connection_reads_the_same(store: Store) -> None:
    run = store.launch(SPEC, "A", "owner")
    assert Store(store.url).run(SPEC.digest) == run


@pytest.mark.parametrize("state", [*ACTIVE, RunState.COMPLETED, RunState.DIVERGED])
def test_launching_again_attaches(store: Store, state: RunState) -> None:
    store.launch(SPEC, "A", "owner")
    run = update_row(store, SPEC, state=state, step=2)
    assert store.launch(SPEC, "B", "other") == run
    assert len(store.runs()) == 1


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.FAILED])
def test_launching_a_stopped_or_failed_run_goes_on_from_its_checkpoint(store: Store, state: RunState) -> None:
    record_run(store, SPEC, (1.0, 2.0), (make_evaluation(0),))
    recorded = row_counts(store)
    ended = update_row(
        store, SPEC, state=state, error="out of memory", stop_requested=True, lease_until=0.0, queued_at=0.0
    )
    run = store.launch(SPEC, "B", "other")
    assert (run.state, run.error, run.stop_requested) == (RunState.QUEUED, "", False)
    assert (run.owner, is_leased(run)) == ("other", True)
    assert (run.step, run.seconds, run.created_at, run.label) == (2, 0.2, ended.created_at, "A")
    assert run.queued_at > 0
    assert row_counts(store) == recorded


@pytest.mark.parametrize("state", ACTIVE)
def test_launching_again_cancels_a_requested_stop(store: Store, state: RunState) -> None:
    store.launch(SPEC, "A", "owner")
    update_row(store, SPEC, state=state, stop_requested=True)
    assert not store.launch(SPEC, "A", "owner").stop_requested


def test_concurrent_launches_make_one_run(store: Store) -> None:
    together = threading.Barrier(4)

    def launch(owner: str) -> Run:
        together.wait()
        return store.launch(SPEC, "A", owner)

    with ThreadPoolExecutor(4) as pool:
        launched = list(pool.map(launch, "abcd"))
    assert len(set(launched)) == 1
    assert store.runs() == launched[:1]


def test_missing_run_is_a_key_error(store: Store) -> None:
    with pytest.raises(KeyError, match="nowhere"):
        store.run("nowhere")


def test_runs_are_listed_oldest_first(store: Store) -> None:
    for spec, created_at in ((SPEC, 2.0), (OTHER, 1.0), (RunSpec(), 3.0)):
        store.launch(spec, "A", "owner")
        update_row(store, spec, created_at=created_at)
    assert [run.created_at for run in store.runs()] == [1.0, 2.0, 3.0]
    assert [run.spec for run in store.runs([RunSpec().digest, OTHER.digest, "nowhere"])] == [OTHER, RunSpec()]
    assert store.runs([]) == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=specs())
def test_any_spec_is_stored_unchanged(store: Store, spec: RunSpec) -> None:
    run = store.launch(spec, "A", "owner")
    assert run.spec == spec
    assert run.spec.digest == run.digest == spec.digest


def test_a_stop_of_a_leased_run_is_requested(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    store.launch(OTHER, "B", "owner")
    store.request_stop([SPEC.digest])
    assert (store.run(SPEC.digest).state, store.run(SPEC.digest).stop_requested) == (RunState.QUEUED, True)
    assert not store.run(OTHER.digest).stop_requested


@pytest.mark.parametrize("state", ACTIVE)
def test_a_run_without_lease_is_stopped_at_once(store: Store, state: RunState) -> None:
    store.launch(SPEC, "A", "owner")
    update_row(store, SPEC, state=state, lease_until=time.time() - 1)
    store.request_stop([SPEC.digest])
    assert store.run(SPEC.digest).state is RunState.STOPPED


@pytest.mark.parametrize("state", FINISHED)
def test_a_finished_run_is_not_stopped(store: Store, state: RunState) -> None:
    store.launch(SPEC, "A", "owner")
    run = update_row(store, SPEC, state=state, lease_until=0.0)
    store.request_stop([SPEC.digest])
    assert store.run(SPEC.digest) == run


def test_deleting_a_run_removes_everything_recorded_of_it(store: Store) -> None:
    for spec in (SPEC, OTHER):
        record_run(store, spec, (1.0, 2.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
    with store.engine.begin() as connection:
        for spec in (SPEC, OTHER):
            connection.execute(insert(recordings).values(run=spec.digest, origin="elsewhere"))
            connection.execute(insert(groups).values(name="group", run=spec.digest, place=1, single=False))
            connection.execute(insert(run_shares).values(run=spec.digest, visitor="ann", launched_at=1.0, wanted=True))
    of_no_run = {table.name: 0 for table in metadata.sorted_tables if table.name != "runs" and "run" not in table.c}
    both = {table: count for table, count in row_counts(store).items() if table not in of_no_run}
    assert all(both.values())
    store.delete([SPEC.digest])
    assert row_counts(store) == {table: count // 2 for table, count in both.items()} | of_no_run
    assert [run.spec for run in store.runs()] == [OTHER]


@pytest.mark.parametrize("state", ACTIVE)
def test_an_active_run_is_not_deleted(store: Store, state: RunState) -> None:
    store.launch(SPEC, "A", "owner")
    run = update_row(store, SPEC, state=state)
    store.delete([SPEC.digest])
    assert store.runs() == [run]


@pytest.mark.parametrize("state", [*ACTIVE, RunState.STOPPED])
def test_runs_that_are_withdrawn_are_removed_unless_they_have_taken_a_step(store: Store, state: RunState) -> None:
    store.launch(SPEC, "A", "owner")
    update_row(store, SPEC, state=state)
    record_run(store, OTHER, (1.0,), (make_evaluation(0),), RunState.RUNNING)
    store.withdraw([SPEC.digest, OTHER.digest])
    (left,) = store.runs()
    assert (left.spec, left.stop_requested) == (OTHER, True)


def test_a_deleted_run_can_be_launched_again(store: Store) -> None:
    record_run(store, SPEC, (1.0,), (make_evaluation(0),), RunState.COMPLETED)
    store.delete([SPEC.digest])
    run = store.launch(SPEC, "A", "owner")
    assert (run.state, run.step) == (RunState.QUEUED, 0)


def test_launching_replaces_a_recorded_run(store: Store) -> None:
    record_run(store, SPEC, (1.0, 2.0), (make_evaluation(0), make_evaluation(2)), RunState.COMPLETED)
    with store.engine.begin() as connection:
        connection.execute(insert(recordings).values(run=SPEC.digest, origin="elsewhere"))
    before = store.run(SPEC.digest)
    assert (before.recorded, before.can_launch) == ("elsewhere", True)
    launched = store.launch(SPEC, "A", "owner")
    assert (launched.recorded, launched.state, launched.step) == ("", RunState.QUEUED, 0)
    assert row_counts(store)["steps"] == 0


def test_a_run_is_renamed(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    store.rename(SPEC.digest, "Mine")
    assert store.run(SPEC.digest).label == "Mine"


def test_progress_and_time_left(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    assert (store.run(SPEC.digest).progress, store.run(SPEC.digest).seconds_left) == (0.0, None)
    run = update_row(store, SPEC, step=2, seconds=6.0)
    assert run.progress == pytest.approx(1 / 3)
    assert run.seconds_left == pytest.approx(12.0)
