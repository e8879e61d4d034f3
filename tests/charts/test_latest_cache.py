"""The cache that keeps the newest result of each subject."""

from collections.abc import Callable

from bnlab.charts.latest_cache import latest_cached


def make_counted(maxsize: int) -> tuple[list[tuple[str, int]], Callable[[str, int], str]]:
    calls: list[tuple[str, int]] = []

    @latest_cached(maxsize, len, lambda name, _length: name, lambda _name, length: length)
    def result(name: str, length: int) -> str:
        calls.append((name, length))
        return name * length

    return calls, result


def test_a_result_is_computed_once_for_a_version() -> None:
    calls, result = make_counted(10)
    assert result("a", 2) == result("a", 2) == "aa"
    assert calls == [("a", 2)]


def test_a_newer_version_takes_the_place_of_the_older_one() -> None:
    calls, result = make_counted(10)
    assert [len(result("a", length)) for length in (6, 7, 8)] == [6, 7, 8]
    assert result("b", 2) == "bb"
    assert result("a", 8) == "a" * 8, "it has not been evicted by its predecessors"
    result("a", 6)
    assert calls == [("a", 6), ("a", 7), ("a", 8), ("b", 2), ("a", 6)]


def test_the_least_recently_used_subject_is_evicted() -> None:
    calls, result = make_counted(4)
    for name in "aba":
        result(name, 2)
    result("c", 2)
    result("a", 2)
    result("b", 2)
    assert calls == [("a", 2), ("b", 2), ("c", 2), ("b", 2)]


def test_what_exceeds_the_capacity_is_not_kept() -> None:
    calls, result = make_counted(4)
    result("a", 3)
    assert [len(result("a", 5)) for _ in range(2)] == [5, 5]
    assert calls == [("a", 3), ("a", 5), ("a", 5)]
