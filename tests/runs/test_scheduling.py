"""The order in which waiting runs are given to workers."""

from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.scheduling import NO_GROUP, LastServed, SchedulingPolicy, Waiting, read_queue, turns
from bnlab.runs.store import Store
from bnlab.specs.run_spec import MAX_PROGRAMS
from tests.runs.store_rows import tiny_spec, tiny_specs

VISITORS = ("ann", "ben", "cem")


def grouped(group: str) -> Waiting:
    return Waiting(group)


def wanted_by(*visitors: str, group: str = NO_GROUP) -> Waiting:
    return Waiting(group, frozenset(visitors))


def order(waiting: dict[str, Waiting], served: LastServed | None = None) -> list[str]:
    return [turn.run for turn in turns(waiting, served or LastServed())]


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
    policy.add("b", grouped("b"))
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
    policy.add("b", grouped("b"))
    assert policy.take("w", ["w"]) == "a"


def test_groups_wait_behind_single_runs() -> None:
    policy = SchedulingPolicy()
    policy.add("small", "p", grouped("group"))
    policy.add("single", "q")
    assert [policy.take("w", ["w"]) for _ in range(3)] == ["single", "small", None]


def test_a_waiting_run_launched_singly_leaves_its_group() -> None:
    policy = SchedulingPolicy()
    for run in "ab":
        policy.add(run, run, grouped("group"))
    policy.add("b", "b")
    assert policy.waiting == ("a", "b")
    assert policy.take("w", ["w"]) == "b"


def test_groups_take_turns_however_many_runs_they_have() -> None:
    policy = SchedulingPolicy()
    for run in ("a1", "a2", "a3", "a4"):
        policy.add(run, "p", grouped("a"))
    for run in ("b1", "b2"):
        policy.add(run, "p", grouped("b"))
    assert [policy.take("w", ["w"]) for _ in range(6)] == ["a1", "b1", "a2", "b2", "a3", "a4"]


def test_a_group_trains_one_program_after_another() -> None:
    policy = SchedulingPolicy()
    for seed in "01":
        for program in "pq":
            policy.add(program + seed, program, grouped("group"))
    assert [policy.take("w", ["w"]) for _ in range(4)] == ["p0", "p1", "q0", "q1"]


def test_workers_divide_the_programs_of_a_group() -> None:
    policy, workers = SchedulingPolicy(), ["v", "w"]
    for seed in "01":
        for program in "pq":
            policy.add(program + seed, program, grouped("group"))
    taken = {worker: [policy.take(worker, workers)] for worker in workers}
    for worker in workers:
        taken[worker].append(policy.take(worker, workers))
    assert taken == {"v": ["p0", "p1"], "w": ["q0", "q1"]}


def test_a_group_finishes_a_run_before_the_next() -> None:
    policy = SchedulingPolicy()
    for run in "ab":
        policy.add(run, "p", grouped("group"))
    assert policy.take("w", ["w"]) == "a"
    policy.add("a", "p", grouped("group"))
    assert policy.take("w", ["w"]) == "a"


def test_evicted_programs_do_not_count() -> None:
    policy, workers = queue_of("a"), ["v", "w"]
    policy.take("v", workers)
    for number in range(MAX_PROGRAMS):
        policy.add(f"{number}", number)
        policy.take("v", workers)
    policy.add("a", "a")
    policy.add("b", grouped("b"))
    assert policy.take("w", workers) == "a"


def test_visitors_take_turns_however_many_runs_they_have() -> None:
    waiting = {f"ann {number}": wanted_by("ann") for number in range(160)}
    waiting |= {f"ben {number}": wanted_by("ben") for number in range(3)}
    assert order(waiting)[:7] == ["ann 0", "ben 0", "ann 1", "ben 1", "ann 2", "ben 2", "ann 3"]
    assert order(waiting, LastServed(visitors={"ben": 1, "ann": 2}, turns=2))[:2] == ["ben 0", "ann 0"]


def test_groups_come_after_single_runs_of_all_visitors() -> None:
    waiting = {
        "a1": wanted_by("ann", group="g"),
        "a2": wanted_by("ann", group="h"),
        "a3": wanted_by("ann", group="g"),
        "b1": wanted_by("ben", group="g"),
        "b2": wanted_by("ben"),
        "c1": wanted_by("cem"),
    }
    assert order(waiting) == ["b2", "c1", "a1", "b1", "a2", "a3"]
    assert order({}) == []


def test_groups_of_one_visitor_take_turns() -> None:
    waiting = {"a1": grouped("a"), "a2": grouped("a"), "s1": Waiting(), "b1": grouped("b"), "a3": grouped("a")}
    assert order(waiting) == ["s1", "a1", "b1", "a2", "a3"]
    assert order(waiting, LastServed(groups={"a": 2, "b": 1}, turns=2)) == ["s1", "b1", "a1", "a2", "a3"]


def test_a_run_that_several_want_is_trained_once_at_the_first_turn() -> None:
    waiting = {"a": wanted_by("ann"), "shared": wanted_by("ann", "ben"), "b": wanted_by("ben")}
    assert order(waiting) == ["a", "shared", "b"]


def test_a_worker_does_not_take_the_run_of_another_visitor_for_its_program() -> None:
    policy = SchedulingPolicy()
    policy.add("ann 0", "p", wanted_by("ann"))
    assert policy.take("w", ["w"]) == "ann 0"
    policy.add("ann 1", "p", wanted_by("ann"))
    policy.add("ben", "q", wanted_by("ben"))
    assert policy.take("w", ["w"]) == "ben"


def test_the_stored_queue_is_fair(store: Store) -> None:
    store.launch_runs(tiny_specs(0, 1, 2, 3), "owner", visitor="ann")
    store.launch_runs(tiny_specs(2, 3, 4, 5), "owner", visitor="ben")
    store.launch_runs(tiny_specs(9), "owner")
    store.request_stop([tiny_spec(0).digest], "ann")
    seeds = {run.digest: run.spec.seed for run in store.runs()}
    first, *others = [seeds[digest] for digest in read_queue(store, LastServed())]
    assert first == 0, "nobody wants it, so it is anybody's, as is 9"
    assert others == [1, 2, 9, 3, 4, 5]


WAITING = st.lists(
    st.builds(
        Waiting,
        group=st.sampled_from([NO_GROUP, "g", "h"]),
        visitors=st.frozensets(st.sampled_from(VISITORS), min_size=1),
    ),
    max_size=30,
)


@given(entries=WAITING, before=st.lists(st.builds(Waiting, st.sampled_from(["", "g", "h"]), st.just(frozenset("z")))))
def test_the_queue_is_the_order_of_takes(entries: list[Waiting], before: list[Waiting]) -> None:
    policy, waiting = SchedulingPolicy(), {str(number): entry for number, entry in enumerate(entries)}
    for entry in before:
        policy.add("earlier", "p", entry)
        policy.take("w", ["w"])
    expected = order(waiting, policy.served)
    assert sorted(expected) == sorted(waiting)
    for run, entry in waiting.items():
        policy.add(run, "p", entry)
    assert [policy.take("w", ["w"]) for _ in waiting] == expected


@given(entries=WAITING)
def test_each_visitor_is_served_within_the_turns_of_all(entries: list[Waiting]) -> None:
    """As long as a visitor has a single run that waits, no n turns in a row pass without one that it wants."""
    waiting = {str(number): entry for number, entry in enumerate(entries) if entry.group == NO_GROUP}
    queue = [waiting[run].visitors for run in order(waiting)]
    for visitor in VISITORS:
        last = max((place for place, visitors in enumerate(queue) if visitor in visitors), default=-1)
        for first in range(last + 1):
            assert any(visitor in visitors for visitors in queue[first : first + len(VISITORS)])


@given(entries=WAITING)
def test_the_runs_of_a_visitor_keep_their_order(entries: list[Waiting]) -> None:
    waiting = {f"{number:02}": entry for number, entry in enumerate(entries)}
    taken = list(turns(waiting, LastServed()))
    for visitor in VISITORS:
        for group in ("", "g", "h"):
            mine = [turn.run for turn in taken if (turn.visitor, turn.group) == (visitor, group)]
            assert mine == sorted(mine)
    tiers = [waiting[turn.run].group != NO_GROUP for turn in taken]
    assert tiers == sorted(tiers), "single runs first"


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
            policy.add(run, programs[run], grouped(groups[run]))
            waiting.add(run)
        else:
            taken = policy.take(worker, "VW")
            assert (taken is None) == (not waiting)
            assert taken is None or not groups[taken] or all(groups[other] for other in waiting)
            waiting.discard(taken)
        assert set(policy.waiting) == waiting
        assert len(policy.waiting) == len(waiting)
