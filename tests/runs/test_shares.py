"""Shares in runs: taken by launching, withdrawn by stopping; a run stops when nobody wants it any more."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert

from bnlab.runs.groups import launch_group
from bnlab.runs.run import ACTIVE, RunState
from bnlab.runs.schema import recordings
from bnlab.runs.shares import COMMAND_LINE, NO_SHARES, NO_VISITOR, PROTECTED_DAYS, Shares
from bnlab.runs.store import Store
from tests.postgresql import new_postgresql_url, postgresql_server
from tests.runs.store_rows import OTHER, SPEC, tiny_specs, update_row

__all__ = ["new_postgresql_url", "postgresql_server"]

OWNER = "owner"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, store: Store) -> Iterator[Store]:
    """A store on each kind of database."""
    if request.param == "sqlite":
        yield store
        return
    new_url: Callable[[], str] = request.getfixturevalue("new_postgresql_url")
    with Store(new_url()) as opened:
        yield opened


def launch(store: Store, *visitors: str) -> None:
    for visitor in visitors:
        store.launch_runs([(SPEC, "A")], OWNER, visitor=visitor)


def is_stopping(store: Store) -> bool:
    return store.run(SPEC.digest).stop_requested


def wanted_by(store: Store) -> frozenset[str]:
    return store.shares([SPEC.digest]).get(SPEC.digest, NO_SHARES).wanted_by


def test_launching_takes_one_share_each(store: Store) -> None:
    launch(store, "ann", "ben", "ann")
    assert store.shares([SPEC.digest, OTHER.digest]) == {SPEC.digest: Shares(frozenset(["ann", "ben"]))}
    assert store.shares() == store.shares([SPEC.digest])


def test_who_is_not_known_has_no_share(store: Store) -> None:
    launch(store, NO_VISITOR)
    assert store.shares([SPEC.digest]) == {}
    store.request_stop([SPEC.digest], NO_VISITOR)
    assert is_stopping(store)


@pytest.mark.parametrize("state", ACTIVE)
def test_a_run_stops_when_nobody_wants_it_any_more(store: Store, state: RunState) -> None:
    launch(store, "ann", "ben")
    update_row(store, SPEC, state=state)
    store.request_stop([SPEC.digest], "ann")
    assert not is_stopping(store)
    assert store.shares()[SPEC.digest] == Shares(frozenset(["ben"]), frozenset(["ann"]))
    store.request_stop([SPEC.digest], "ben")
    assert is_stopping(store)


def test_a_stop_of_who_has_no_share_changes_nothing_for_others(store: Store) -> None:
    launch(store, "ann")
    for visitor in ("ben", NO_VISITOR):
        store.request_stop([SPEC.digest], visitor)
        store.withdraw([SPEC.digest], visitor)
    assert not is_stopping(store)
    assert wanted_by(store) == {"ann"}


def test_a_second_stop_does_not_end_what_others_want(store: Store) -> None:
    launch(store, "ann", "ben")
    for _ in range(2):
        store.request_stop([SPEC.digest], "ann")
    assert not is_stopping(store)


def test_a_run_of_the_command_line_stops_for_visitors_without_a_share(store: Store) -> None:
    launch(store, COMMAND_LINE, "ann")
    store.request_stop([SPEC.digest], "ann")
    assert not is_stopping(store), "the command line wants it"
    store.request_stop([SPEC.digest], "ann")
    assert is_stopping(store), "and nobody on a page"


def test_the_command_line_stops_nothing_that_a_visitor_wants(store: Store) -> None:
    launch(store, COMMAND_LINE, "ann")
    store.request_stop([SPEC.digest], COMMAND_LINE)
    assert not is_stopping(store)


def test_stop_for_everybody_withdraws_all_shares(store: Store) -> None:
    launch(store, "ann", "ben")
    store.request_stop([SPEC.digest])
    assert is_stopping(store)
    assert store.shares()[SPEC.digest] == Shares(frozenset(), frozenset(["ann", "ben"]))


def test_launching_again_takes_the_share_back_and_cancels_the_stop(store: Store) -> None:
    launch(store, "ann")
    store.request_stop([SPEC.digest], "ann")
    launch(store, "ben")
    assert not is_stopping(store)
    launch(store, "ann")
    assert wanted_by(store) == {"ann", "ben"}


def test_who_continues_a_failed_run_is_the_only_one_who_wants_it(store: Store) -> None:
    launch(store, "ann")
    update_row(store, SPEC, state=RunState.FAILED)
    launch(store, "ben")
    assert store.shares()[SPEC.digest] == Shares(frozenset(["ben"]), frozenset(["ann"]))


def test_groups_have_shares_too_and_runs_without_a_step_are_removed(store: Store) -> None:
    runs = launch_group(store, "A2", tiny_specs(1, 2), OWNER, "ann")
    assert {shares.wanted_by for shares in store.shares().values()} == {frozenset(["ann"])}
    launch_group(store, "A2", tiny_specs(1), OWNER, "ben")
    store.withdraw([run.digest for run in runs], "ann")
    assert [run.spec.seed for run in store.runs()] == [1]


def test_shares_go_with_their_run(store: Store) -> None:
    launch(store, "ann")
    update_row(store, SPEC, state=RunState.COMPLETED)
    store.delete([SPEC.digest])
    launch(store, "ben")
    assert wanted_by(store) == {"ben"}


def test_a_recorded_run_is_nobodys_until_it_is_trained_here(store: Store) -> None:
    launch(store, NO_VISITOR)
    update_row(store, SPEC, state=RunState.COMPLETED)
    with store.engine.begin() as connection:
        connection.execute(insert(recordings).values(run=SPEC.digest, origin="elsewhere"))
    launch(store, "ann")
    assert wanted_by(store) == {"ann"}


def test_a_launch_beside_a_stop_is_never_lost(store: Store) -> None:
    def stop(visitor: str) -> None:
        store.request_stop([SPEC.digest, OTHER.digest], visitor)

    def launch_both(visitor: str) -> None:
        store.launch_runs([(OTHER, "B"), (SPEC, "A")], OWNER, visitor=visitor)

    launch_both("ann")
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            list(pool.map(lambda act: act[0](act[1]), [(stop, "ann"), (launch_both, "ben")]))
            assert not any(run.stop_requested for run in store.runs()), "ben wants them"
            list(pool.map(lambda act: act[0](act[1]), [(stop, "ben"), (launch_both, "ann")]))
            assert not any(run.stop_requested for run in store.runs()), "ann wants them"


@pytest.mark.parametrize(
    ("wanted", "others", "may_stop"),
    [
        ([], 0, True),
        (["me"], 0, True),
        (["me", "ann"], 1, True),
        (["ann", "ben"], 2, False),
        ([COMMAND_LINE], 0, True),
        ([COMMAND_LINE, "ann"], 1, False),
    ],
)
def test_who_may_stop(wanted: list[str], others: int, may_stop: bool) -> None:
    shares = Shares(frozenset(wanted))
    assert (shares.others("me"), shares.may_stop("me")) == (others, may_stop)


@pytest.mark.parametrize(
    ("shares", "with_teacher", "without", "a_day_later"),
    [
        (NO_SHARES, True, True, True),
        (Shares(frozenset([COMMAND_LINE])), True, True, True),
        (Shares(frozenset(["me"])), True, True, True),
        (Shares(frozenset(), frozenset(["me"])), True, True, True),
        (Shares(frozenset(["me", "ann"])), False, False, True),
        (Shares(frozenset(["me"]), frozenset(["ann"])), True, True, True),
        (Shares(frozenset(["ann"]), frozenset(["me"])), False, False, True),
        (Shares(frozenset(["ann", "ben"])), False, False, True),
        (Shares(frozenset(), frozenset(["ann"])), False, True, True),
    ],
)
def test_who_may_rename_and_delete(shares: Shares, with_teacher: bool, without: bool, a_day_later: bool) -> None:
    def may(*, has_teacher: bool, days_idle: float) -> bool:
        why_not = shares.why_not_change("me", has_teacher=has_teacher, days_idle=days_idle)
        assert not why_not or why_not.endswith(".")
        assert "ann" not in why_not, "never who they are"
        return not why_not

    assert may(has_teacher=True, days_idle=0) == may(has_teacher=True, days_idle=99) == with_teacher
    assert may(has_teacher=False, days_idle=0.9) == without
    assert may(has_teacher=False, days_idle=PROTECTED_DAYS) == a_day_later
