"""The order in which waiting runs are given to workers."""

from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.scheduler import NO_GROUP, SchedulingPolicy, queue_order
from bnlab.specs.run_spec import MAX_PROGRAMS


def queue_of(*runs: str) -> SchedulingPolicy:
    """Single runs, each with another program."""
    policy = SchedulingPolicy()
    for run in runs:
        policy.add(run, run)
    return policy


def test_first_come_first_served() -> None:
    policy = queue_of("a", "b", "c")
    assert [policy.take("w", ["w"]) for _ in range(4)] == ["a", "b", "c", None]


def test_a_run_added_twice_waits_once() -> None:
    policy = queue_of("a", "b", "a")
    assert policy.waiting == ("a", "b")


def test_removed_runs_do_not_wait() -> None:
    policy = queue_of("a", "b")
    policy.remove("a")
    policy.remove("unknown")
    assert policy.waiting == ("b",)


def test_a_run_returns_to_the_worker_that_compiled_it() -> None:
    policy = queue_of("a", "b")
    workers = ["v", "w"]
    assert (policy.take("v", workers), policy.take("w", workers)) == ("a", "b")
    policy.add("a", "a")
    policy.add("b", "b")
    assert (policy.take("w", workers), policy.take("v", workers)) == ("b", "a")


def test_a_run_without_compiled_program_goes_before_a_later_one() -> None:
    policy = queue_of("old")
    policy.take("w", ["w"])
    policy.add("new", "new")
    policy.add("old", "old")
    assert policy.take("w", ["w"]) == "new"


def test_no_worker_idles_while_a_run_waits() -> None:
    policy = queue_of("a")
    workers = ["v", "w"]
    policy.take("v", workers)
    policy.add("a", "a")
    assert policy.take("w", workers) == "a"
    policy.add("a", "a")
    assert policy.take("v", workers) == "a"


def test_a_program_may_be_compiled_on_two_workers() -> None:
    policy, workers = queue_of("a"), ["v", "w"]
    policy.take("v", workers)
    policy.add("a", "a")
    policy.take("w", workers)
    policy.add("b", "b")
    policy.take("w", workers)
    for run in "ba":
        policy.add(run, run)
    assert policy.take("v", workers) == "a"
    policy.add("a", "a")
    assert [policy.take("w", workers) for _ in range(2)] == ["b", "a"]


def test_a_new_run_goes_to_the_worker_that_has_its_program() -> None:
    policy, workers = queue_of("old", "other"), ["v", "w"]
    assert (policy.take("v", workers), policy.take("w", workers)) == ("old", "other")
    policy.add("new", "old")
    policy.add("newer", "other")
    assert (policy.take("w", workers), policy.take("v", workers)) == ("newer", "new")


def test_programs_of_a_removed_worker_do_not_count() -> None:
    policy = queue_of("a", "b")
    policy.take("gone", ["gone", "w"])
    policy.take("w", ["gone", "w"])
    policy.add("a", "a")
    policy.add("b", "b")
    assert policy.take("w", ["w"]) == "a"


def test_groups_wait_behind_single_runs() -> None:
    policy = SchedulingPolicy()
    policy.add("small", "p", "group")
    policy.add("single", "q")
    assert [policy.take("w", ["w"]) for _ in range(3)] == ["single", "small", None]


def test_a_waiting_run_launched_singly_leaves_its_group() -> None:
    policy = SchedulingPolicy()
    for run in "ab":
        policy.add(run, run, "group")
    policy.add("b", "b")
    assert policy.waiting == ("a", "b")
    assert policy.take("w", ["w"]) == "b"


def test_groups_take_turns_however_many_runs_they_have() -> None:
    policy = SchedulingPolicy()
    for run in ("a1", "a2", "a3", "a4"):
        policy.add(run, "p", "a")
    for run in ("b1", "b2"):
        policy.add(run, "p", "b")
    assert [policy.take("w", ["w"]) for _ in range(6)] == ["a1", "b1", "a2", "b2", "a3", "a4"]


def test_a_group_trains_one_program_after_another() -> None:
    policy = SchedulingPolicy()
    for seed in "01":
        for program in "pq":
            policy.add(program + seed, program, "group")
    assert [policy.take("w", ["w"]) for _ in range(4)] == ["p0", "p1", "q0", "q1"]


def test_workers_divide_the_programs_of_a_group() -> None:
    policy, workers = SchedulingPolicy(), ["v", "w"]
    for seed in "01":
        for program in "pq":
            policy.add(program + seed, program, "group")
    taken = {worker: [policy.take(worker, workers)] for worker in workers}
    for worker in workers:
        taken[worker].append(policy.take(worker, workers))
    assert taken == {"v": ["p0", "p1"], "w": ["q0", "q1"]}


def test_a_group_finishes_a_run_before_the_next() -> None:
    policy = SchedulingPolicy()
    for run in "ab":
        policy.add(run, "p", "group")
    assert policy.take("w", ["w"]) == "a"
    policy.add("a", "p", "group")
    assert policy.take("w", ["w"]) == "a"


def test_evicted_programs_do_not_count() -> None:
    policy, workers = queue_of("a"), ["v", "w"]
    policy.take("v", workers)
    for number in range(MAX_PROGRAMS):
        policy.add(f"{number}", number)
        policy.take("v", workers)
    policy.add("a", "a")
    policy.add("b", "b")
    assert policy.take("w", workers) == "a"


def test_queue_order_has_single_runs_first() -> None:
    waiting = {"a1": "a", "a2": "a", "s1": NO_GROUP, "b1": "b", "a3": "a", "s2": NO_GROUP}
    assert queue_order(waiting, {}) == ["s1", "s2", "a1", "b1", "a2", "a3"]
    assert queue_order(waiting, {"a": 2, "b": 1}) == ["s1", "s2", "b1", "a1", "a2", "a3"]
    assert queue_order({}, {}) == []


@given(groups=st.lists(st.sampled_from([NO_GROUP, "g", "h", "i"])), before=st.lists(st.sampled_from(["g", "h", "i"])))
def test_queue_order_is_the_order_of_takes(groups: list[str], before: list[str]) -> None:
    policy, waiting = SchedulingPolicy(), {str(number): group for number, group in enumerate(groups)}
    for group in before:
        policy.add("earlier", "p", group)
        policy.take("w", ["w"])
    order = queue_order(waiting, policy.served)
    for run, group in waiting.items():
        policy.add(run, "p", group)
    assert [policy.take("w", ["w"]) for _ in waiting] == order


@given(
    actions=st.lists(st.tuples(st.sampled_from("VW"), st.sampled_from(["add", "take"]), st.sampled_from("abcde"))),
    groups=st.fixed_dictionaries({run: st.sampled_from(["", "g", "h"]) for run in "abcde"}),
    programs=st.fixed_dictionaries({run: st.sampled_from("pq") for run in "abcde"}),
)
def test_every_added_run_is_taken_once(
    actions: list[tuple[str, str, str]], groups: dict[str, str], programs: dict[str, str]
) -> None:
    policy, waiting = SchedulingPolicy(), set()
    for worker, action, run in actions:
        if action == "add":
            policy.add(run, programs[run], groups[run])
            waiting.add(run)
        else:
            taken = policy.take(worker, "VW")
            assert (taken is None) == (not waiting)
            assert taken is None or not groups[taken] or all(groups[other] for other in waiting)
            waiting.discard(taken)
        assert set(policy.waiting) == waiting
        assert len(policy.waiting) == len(waiting)
