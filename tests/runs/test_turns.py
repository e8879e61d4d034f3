"""Whose turn it is."""

from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.turns import Turns


def queue_of(*runs: str) -> Turns:
    turns = Turns()
    for run in runs:
        turns.add(run)
    return turns


def test_first_come_first_served() -> None:
    turns = queue_of("a", "b", "c")
    assert [turns.take("w", ["w"]) for _ in range(4)] == ["a", "b", "c", None]


def test_nobody_waits_twice() -> None:
    turns = queue_of("a", "b", "a")
    assert turns.waiting == ("a", "b")


def test_who_is_removed_waits_no_longer() -> None:
    turns = queue_of("a", "b")
    turns.remove("a")
    turns.remove("nobody")
    assert turns.waiting == ("b",)


def test_a_run_returns_to_the_worker_that_compiled_it() -> None:
    turns = queue_of("a", "b")
    workers = ["v", "w"]
    assert (turns.take("v", workers), turns.take("w", workers)) == ("a", "b")
    turns.add("a")
    turns.add("b")
    assert (turns.take("w", workers), turns.take("v", workers)) == ("b", "a")


def test_a_homeless_run_goes_before_a_later_one_of_the_workers_own() -> None:
    turns = queue_of("own")
    turns.take("w", ["w"])
    turns.add("new")
    turns.add("own")
    assert turns.take("w", ["w"]) == "new"


def test_no_worker_idles_while_a_run_waits() -> None:
    turns = queue_of("a")
    workers = ["v", "w"]
    turns.take("v", workers)
    turns.add("a")
    assert turns.take("w", workers) == "a"
    turns.add("a")
    assert turns.take("v", workers) == "a"


def test_a_run_follows_to_its_new_home() -> None:
    turns, workers = queue_of("a"), ["v", "w"]
    turns.take("v", workers)
    turns.add("a")
    turns.take("w", workers)
    turns.add("a")
    turns.add("b")
    assert turns.take("v", workers) == "b"


def test_runs_of_a_worker_that_is_gone_are_homeless() -> None:
    turns = queue_of("a", "b")
    turns.take("gone", ["gone", "w"])
    turns.take("w", ["gone", "w"])
    turns.add("a")
    turns.add("b")
    assert turns.take("w", ["w"]) == "a"


@given(
    actions=st.lists(st.tuples(st.sampled_from("VW"), st.sampled_from(["add", "take"]), st.sampled_from("abcde"))),
)
def test_every_run_added_is_taken_once_and_none_is_lost(actions: list[tuple[str, str, str]]) -> None:
    turns, waiting = Turns(), set()
    for worker, action, run in actions:
        if action == "add":
            turns.add(run)
            waiting.add(run)
        else:
            taken = turns.take(worker, "VW")
            assert (taken is None) == (not waiting)
            waiting.discard(taken)
        assert set(turns.waiting) == waiting
        assert len(turns.waiting) == len(waiting)
