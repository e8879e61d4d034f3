"""Leases and fences of the store."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bnlab.runs.run import RunState
from bnlab.runs.store import LEASE_SECONDS, Store
from tests.runs.store_rows import FINISHED, OTHER, SPEC, is_leased, update_row


def test_claimed_runs_are_in_the_order_they_were_queued(store: Store) -> None:
    for spec, queued_at in ((SPEC, 2.0), (OTHER, 1.0)):
        store.launch(spec, "A", "owner")
        update_row(store, spec, queued_at=queued_at)
    claimed = store.acquire("owner")
    assert [run.spec for run in claimed] == [OTHER, SPEC]
    assert all(run.lease_until > time.time() + LEASE_SECONDS - 5 for run in claimed)


def test_a_claim_renews_the_lease(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    update_row(store, SPEC, lease_until=time.time() + 1)
    (run,) = store.acquire("owner")
    assert run.lease_until > time.time() + LEASE_SECONDS - 5
    assert store.run(SPEC.digest) == run


def test_runs_leased_by_others_are_not_claimed(store: Store) -> None:
    run = store.launch(SPEC, "A", "owner")
    assert store.acquire("other") == []
    assert store.acquire("other", dead=["third"]) == []
    assert store.run(SPEC.digest) == run


def test_an_expired_lease_is_taken_over(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    update_row(store, SPEC, lease_until=time.time() - 0.01, state=RunState.RUNNING)
    (run,) = store.acquire("other")
    assert (run.owner, run.state) == ("other", RunState.RUNNING)
    assert store.acquire("owner") == []


def test_runs_of_a_dead_owner_are_taken_over(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    (run,) = store.acquire("other", dead=["owner"])
    assert run.owner == "other"
    assert is_leased(run)


@pytest.mark.parametrize("state", FINISHED)
def test_a_finished_run_is_not_claimed(store: Store, state: RunState) -> None:
    store.launch(SPEC, "A", "owner")
    update_row(store, SPEC, state=state, lease_until=0.0)
    assert store.acquire("owner") == store.acquire("other") == []
    assert store.run(SPEC.digest).owner == "owner"


def test_only_one_of_concurrent_claims_succeeds(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    update_row(store, SPEC, lease_until=0.0)
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(store.acquire, "abcd"))
    assert sorted(len(claim) for claim in claims) == [0, 0, 0, 1]


def test_owners_are_those_of_active_runs(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    store.launch(OTHER, "B", "other")
    assert store.owners() == {"owner", "other"}
    update_row(store, OTHER, state=RunState.COMPLETED)
    assert store.owners() == {"owner"}


def test_released_runs_can_be_claimed(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    store.launch(OTHER, "B", "other")
    store.release("owner")
    assert not is_leased(store.run(SPEC.digest))
    assert is_leased(store.run(OTHER.digest))
    assert [run.spec for run in store.acquire("third")] == [SPEC]


def test_released_runs_that_are_to_stop_are_stopped(store: Store) -> None:
    for spec in (SPEC, OTHER):
        store.launch(spec, "A", "owner")
    assert store.next_fence(SPEC.digest, "owner") == 1
    store.request_stop([SPEC.digest])
    assert store.run(SPEC.digest).state is RunState.QUEUED  # the scheduler that holds its lease stops it
    store.release("owner")
    assert (store.run(SPEC.digest).state, store.run(OTHER.digest).state) == (RunState.STOPPED, RunState.QUEUED)
    assert [run.spec for run in store.acquire("third")] == [OTHER]
    again = store.launch(SPEC, "A", "third")
    assert (again.state, again.stop_requested) == (RunState.QUEUED, False)
    assert store.next_fence(SPEC.digest, "third") == 3  # so that a slice that had fence 1 writes nothing


def test_fences_count_up_for_the_owner_only(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    store.launch(OTHER, "B", "owner")
    assert [store.next_fence(SPEC.digest, "owner") for _ in range(3)] == [1, 2, 3]
    assert store.next_fence(SPEC.digest, "other") is None
    assert store.next_fence("nowhere", "owner") is None
    assert store.next_fence(OTHER.digest, "owner") == 1
    assert store.next_fence(SPEC.digest, "owner") == 4


def test_fences_never_repeat_under_several_threads(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    with ThreadPoolExecutor(4) as pool:
        fences = list(pool.map(lambda _: store.next_fence(SPEC.digest, "owner") or 0, range(20)))
    assert sorted(fences) == list(range(1, 21))


def test_only_its_owner_ends_an_active_run(store: Store) -> None:
    run = store.launch(SPEC, "A", "owner")
    store.finish(SPEC.digest, "other", RunState.FAILED, "not mine")
    assert store.run(SPEC.digest) == run
    store.finish(SPEC.digest, "owner", RunState.FAILED, "The worker died.")
    ended = store.run(SPEC.digest)
    assert (ended.state, ended.error) == (RunState.FAILED, "The worker died.")
    store.finish(SPEC.digest, "owner", RunState.STOPPED)
    assert store.run(SPEC.digest) == ended


def test_finishing_a_run_supersedes_its_slice(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    fence = store.next_fence(SPEC.digest, "owner") or 0
    store.finish(SPEC.digest, "owner", RunState.FAILED)
    assert store.next_fence(SPEC.digest, "owner") == fence + 2


def test_a_run_that_was_launched_again_is_not_stopped(store: Store) -> None:
    store.launch(SPEC, "A", "owner")
    store.finish(SPEC.digest, "owner", RunState.STOPPED)
    assert store.run(SPEC.digest).state is RunState.QUEUED
    store.request_stop([SPEC.digest])
    store.finish(SPEC.digest, "owner", RunState.STOPPED)
    assert store.run(SPEC.digest).state is RunState.STOPPED
