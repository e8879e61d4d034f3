"""Whose turn it is."""

from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.scheduler import NO_GROUP, SchedulingPolicy, queue_order
from bnlab.specs.run_spec import MAX_PROGRAMS


def queue_of(*runs: str) -> SchedulingPolicy:
    """Single runs, each with a program of its own."""
    turns = SchedulingPolicy()
    for run in runs:
        turns.add(run, run)
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
    turns.add("a", "a")
    turns.add("b", "b")
    assert (turns.take("w", workers), turns.take("v", workers)) == ("b", "a")


def test_a_homeless_run_goes_before_a_later_one_of_the_workers_own() -> None:
    turns = queue_of("own")
    turns.take("w", ["w"])
    turns.add("new", "new")
    turns.add("own", "own")
    assert turns.take("w", ["w"]) == "new"


def test_no_worker_idles_while_a_run_waits() -> None:
    turns = queue_of("a")
    workers = ["v", "w"]
    turns.take("v", workers)
    turns.add("a", "a")
    assert turns.take("w", workers) == "a"
    turns.add("a", "a")
    assert turns.take("v", workers) == "a"


def test_a_program_compiled_twice_is_at_home_with_both() -> None:
    turns, workers = queue_of("a"), ["v", "w"]
    turns.take("v", workers)
    turns.add("a", "a")
    turns.take("w", workers)
    turns.add("b", "b")
    turns.take("w", workers)
    for run in "ba":
        turns.add(run, run)
    assert turns.take("v", workers) == "a"
    turns.add("a", "a")
    assert [turns.take("w", workers) for _ in range(2)] == ["b", "a"]


def test_a_new_run_goes_to_the_worker_that_has_its_program() -> None:
    turns, workers = queue_of("old", "other"), ["v", "w"]
    assert (turns.take("v", workers), turns.take("w", workers)) == ("old", "other")
    turns.add("new", "old")
    turns.add("newer", "other")
    assert (turns.take("w", workers), turns.take("v", workers)) == ("newer", "new")


def test_runs_of_a_worker_that_is_gone_are_homeless() -> None:
    turns = queue_of("a", "b")
    turns.take("gone", ["gone", "w"])
    turns.take("w", ["gone", "w"])
    turns.add("a", "a")
    turns.add("b", "b")
    assert turns.take("w", ["w"]) == "a"


def test_groups_wait_behind_single_runs() -> None:
    turns = SchedulingPolicy()
    turns.add("small", "p", "group")
    turns.add("single", "q")
    assert [turns.take("w", ["w"]) for _ in range(3)] == ["single", "small", None]


def test_a_waiting_run_that_is_launched_by_itself_leaves_its_group_behind() -> None:
    turns = SchedulingPolicy()
    for run in "ab":
        turns.add(run, run, "group")
    turns.add("b", "b")
    assert turns.waiting == ("a", "b")
    assert turns.take("w", ["w"]) == "b"


def test_groups_take_turns_however_many_runs_they_have() -> None:
    turns = SchedulingPolicy()
    for run in ("a1", "a2", "a3", "a4"):
        turns.add(run, "p", "a")
    for run in ("b1", "b2"):
        turns.add(run, "p", "b")
    assert [turns.take("w", ["w"]) for _ in range(6)] == ["a1", "b1", "a2", "b2", "a3", "a4"]


def test_a_group_has_one_programs_runs_trained_before_anothers() -> None:
    turns = SchedulingPolicy()
    for seed in "01":
        for program in "pq":
            turns.add(program + seed, program, "group")
    assert [turns.take("w", ["w"]) for _ in range(4)] == ["p0", "p1", "q0", "q1"]


def test_workers_share_a_groups_programs_out() -> None:
    turns, workers = SchedulingPolicy(), ["v", "w"]
    for seed in "01":
        for program in "pq":
            turns.add(program + seed, program, "group")
    taken = {worker: [turns.take(worker, workers)] for worker in workers}
    for worker in workers:
        taken[worker].append(turns.take(worker, workers))
    assert taken == {"v": ["p0", "p1"], "w": ["q0", "q1"]}


def test_a_group_ends_a_run_before_it_begins_the_next() -> None:
    turns = SchedulingPolicy()
    for run in "ab":
        turns.add(run, "p", "group")
    assert turns.take("w", ["w"]) == "a"
    turns.add("a", "p", "group")
    assert turns.take("w", ["w"]) == "a"


def test_a_program_that_a_worker_no_longer_keeps_is_at_home_nowhere() -> None:
    turns, workers = queue_of("a"), ["v", "w"]
    turns.take("v", workers)
    for number in range(MAX_PROGRAMS):
        turns.add(f"{number}", number)
        turns.take("v", workers)
    turns.add("a", "a")
    turns.add("b", "b")
    assert turns.take("w", workers) == "a"


def test_the_order_has_single_runs_first_and_then_groups_in_turn() -> None:
    waiting = {"a1": "a", "a2": "a", "s1": NO_GROUP, "b1": "b", "a3": "a", "s2": NO_GROUP}
    assert queue_order(waiting, {}) == ["s1", "s2", "a1", "b1", "a2", "a3"]
    assert queue_order(waiting, {"a": 2, "b": 1}) == ["s1", "s2", "b1", "a1", "a2", "a3"]
    assert queue_order({}, {}) == []


@given(groups=st.lists(st.sampled_from([NO_GROUP, "g", "h", "i"])), before=st.lists(st.sampled_from(["g", "h", "i"])))
def test_the_order_is_that_in_which_a_worker_takes_runs_of_one_program(groups: list[str], before: list[str]) -> None:
    turns, waiting = SchedulingPolicy(), {str(number): group for number, group in enumerate(groups)}
    for group in before:
        turns.add("earlier", "p", group)
        turns.take("w", ["w"])
    order = queue_order(waiting, turns.served)
    for run, group in waiting.items():
        turns.add(run, "p", group)
    assert [turns.take("w", ["w"]) for _ in waiting] == order


@given(
    actions=st.lists(st.tuples(st.sampled_from("VW"), st.sampled_from(["add", "take"]), st.sampled_from("abcde"))),
    groups=st.fixed_dictionaries({run: st.sampled_from(["", "g", "h"]) for run in "abcde"}),
    programs=st.fixed_dictionaries({run: st.sampled_from("pq") for run in "abcde"}),
)
def test_every_run_added_is_taken_once_and_none_is_lost(
    actions: list[tuple[str, str, str]], groups: dict[str, str], programs: dict[str, str]
) -> None:
    turns, waiting = SchedulingPolicy(), set()
    for worker, action, run in actions:
        if action == "add":
            turns.add(run, programs[run], groups[run])
            waiting.add(run)
        else:
            taken = turns.take(worker, "VW")
            assert (taken is None) == (not waiting)
            assert taken is None or not groups[taken] or all(groups[other] for other in waiting)
            waiting.discard(taken)
        assert set(turns.waiting) == waiting
        assert len(turns.waiting) == len(waiting)
