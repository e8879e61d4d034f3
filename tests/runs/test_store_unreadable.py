"""Runs that another version of bnlab wrote, beside readable ones."""

import pytest

from bnlab.runs.errors import StoreError
from bnlab.runs.export import export_zip
from bnlab.runs.groups import group_runs, launch_group
from bnlab.runs.run import UnreadableRun
from bnlab.runs.store import Store
from tests.runs.store_rows import OTHER, SPEC, row_counts
from tests.runs.unreadable_runs import CHANGES, make_unreadable
from tests.stored_runs import OWNER, record_run


@pytest.fixture(params=CHANGES)
def kind(request: pytest.FixtureRequest, store: Store) -> str:
    """What is not readable about SPEC's run; OTHER's is readable."""
    record_run(store, OTHER, (1.0,))
    make_unreadable(store, SPEC, "newer", request.param)
    return str(request.param)


@pytest.mark.usefixtures("kind")
def test_readable_runs_are_read(store: Store) -> None:
    assert [run.digest for run in store.runs()] == [OTHER.digest]
    assert set(store.find([SPEC, OTHER])) == {OTHER.digest}
    assert export_zip(store, [SPEC.digest])


def test_unreadable_runs_are_listed(store: Store, kind: str) -> None:
    (run,) = store.unreadable_runs()
    assert isinstance(run, UnreadableRun)
    assert (run.digest, run.label) == (SPEC.digest, "newer")
    assert run.state == CHANGES[kind].get("state", "COMPLETED")


@pytest.mark.usefixtures("kind")
def test_unreadable_runs_can_be_deleted(store: Store) -> None:
    store.delete([SPEC.digest])
    assert store.unreadable_runs() == []
    assert row_counts(store)["steps"] == 1


@pytest.mark.usefixtures("kind")
def test_launching_one_is_refused_and_launches_nothing(store: Store) -> None:
    third = SPEC.model_copy(update={"seed": 9})
    with pytest.raises(StoreError, match=r"“newer”.*another version") as caught:
        store.launch_runs([(third, "third"), (SPEC, "A")], OWNER)
    assert SPEC.digest not in str(caught.value)
    assert [run.digest for run in store.runs()] == [OTHER.digest]


def test_groups_leave_them_out(store: Store) -> None:
    launch_group(store, "group", [(SPEC, "A"), (OTHER, "B")], OWNER)
    store.delete([SPEC.digest])
    store.withdraw([SPEC.digest])
    make_unreadable(store, SPEC, "newer", "a field")
    assert [run.label for run in group_runs(store, "group")] == ["B"]


def test_active_ones_are_left_to_their_version_until_they_are_stopped(store: Store) -> None:
    store.launch(OTHER, "B", OWNER)
    make_unreadable(store, SPEC, "newer", "a field", state="QUEUED", owner="newer:1:1.00:a", lease_until=0.0)
    assert [run.digest for run in store.acquire("me", dead=[OWNER, "newer:1:1.00:a"])] == [OTHER.digest]
    store.request_stop([SPEC.digest])
    assert [run.state for run in store.unreadable_runs()] == ["STOPPED"]
    store.delete([SPEC.digest])
    assert store.unreadable_runs() == []
