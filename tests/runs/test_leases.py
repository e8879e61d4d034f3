"""Who looks after a run: leases, fences, and the one who may end it."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bnlab.runs.run import RunState
from bnlab.runs.store import LEASE_SECONDS, Store
from tests.runs.rows import FINISHED, OTHER, SPEC, put


def test_a_lab_claims_its_own_runs_in_the_order_they_were_queued(store: Store) -> None:
    for spec, queued_at in ((SPEC, 2.0), (OTHER, 1.0)):
        store.launch(spec, "A", "lab")
        put(store, spec, queued_at=queued_at)
    claimed = store.claim("lab")
    assert [run.spec for run in claimed] == [OTHER, SPEC]
    assert all(run.lease_until > time.time() + LEASE_SECONDS - 5 for run in claimed)


def test_a_claim_renews_the_lease(store: Store) -> None:
    store.launch(SPEC, "A", "lab")
    put(store, SPEC, lease_until=time.time() + 1)
    (run,) = store.claim("lab")
    assert run.lease_until > time.time() + LEASE_SECONDS - 5
    assert store.run(SPEC.digest) == run


def test_another_labs_run_is_left_to_it(store: Store) -> None:
    run = store.launch(SPEC, "A", "lab")
    assert store.claim("another lab") == []
    assert store.claim("another lab", dead=["a third lab"]) == []
    assert store.run(SPEC.digest) == run


def test_a_lease_that_ran_out_is_taken_over(store: Store) -> None:
    store.launch(SPEC, "A", "lab")
    put(store, SPEC, lease_until=time.time() - 0.01, state=RunState.RUNNING)
    (run,) = store.claim("another lab")
    assert (run.owner, run.state) == ("another lab", RunState.RUNNING)
    assert store.claim("lab") == []


def test_a_dead_labs_run_is_taken_over_at_once(store: Store) -> None:
    store.launch(SPEC, "A", "lab")
    (run,) = store.claim("another lab", dead=["lab"])
    assert run.owner == "another lab"
    assert run.watched


@pytest.mark.parametrize("state", FINISHED)
def test_a_finished_run_is_not_claimed(store: Store, state: RunState) -> None:
    store.launch(SPEC, "A", "lab")
    put(store, SPEC, state=state, lease_until=0.0)
    assert store.claim("lab") == store.claim("another lab") == []
    assert store.run(SPEC.digest).owner == "lab"


def test_only_one_of_many_labs_takes_a_run_over(store: Store) -> None:
    store.launch(SPEC, "A", "lab")
    put(store, SPEC, lease_until=0.0)
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(store.claim, "abcd"))
    assert sorted(len(claim) for claim in claims) == [0, 0, 0, 1]


def test_owners_are_those_of_active_runs(store: Store) -> None:
    store.launch(SPEC, "A", "lab")
    store.launch(OTHER, "B", "another lab")
    assert store.owners() == {"lab", "another lab"}
    put(store, OTHER, state=RunState.COMPLETED)
    assert store.owners() == {"lab"}


def test_what_is_released_is_free_for_any_lab(store: Store) -> None:
    store.launch(SPEC, "A", "lab")
    store.launch(OTHER, "B", "another lab")
    store.release("lab")
    assert not store.run(SPEC.digest).watched
    assert store.run(OTHER.digest).watched
    assert [run.spec for run in store.claim("a third lab")] == [SPEC]


def test_fences_count_up_and_belong_to_the_owner(store: Store) -> None:
    store.launch(SPEC, "A", "lab")
    store.launch(OTHER, "B", "lab")
    assert [store.next_fence(SPEC.digest, "lab") for _ in range(3)] == [1, 2, 3]
    assert store.next_fence(SPEC.digest, "another lab") is None
    assert store.next_fence("nowhere", "lab") is None
    assert store.next_fence(OTHER.digest, "lab") == 1
    assert store.next_fence(SPEC.digest, "lab") == 4


def test_fences_never_repeat_under_several_threads(store: Store) -> None:
    store.launch(SPEC, "A", "lab")
    with ThreadPoolExecutor(4) as pool:
        fences = list(pool.map(lambda _: store.next_fence(SPEC.digest, "lab") or 0, range(20)))
    assert sorted(fences) == list(range(1, 21))


def test_only_its_owner_ends_an_active_run(store: Store) -> None:
    run = store.launch(SPEC, "A", "lab")
    store.finish(SPEC.digest, "another lab", RunState.FAILED, "not mine")
    assert store.run(SPEC.digest) == run
    store.finish(SPEC.digest, "lab", RunState.FAILED, "The worker died.")
    ended = store.run(SPEC.digest)
    assert (ended.state, ended.error) == (RunState.FAILED, "The worker died.")
    store.finish(SPEC.digest, "lab", RunState.STOPPED)
    assert store.run(SPEC.digest) == ended


def test_ending_a_run_shuts_out_the_slice_that_may_still_be_at_work(store: Store) -> None:
    store.launch(SPEC, "A", "lab")
    fence = store.next_fence(SPEC.digest, "lab") or 0
    store.finish(SPEC.digest, "lab", RunState.STOPPED)
    assert store.next_fence(SPEC.digest, "lab") == fence + 2
