"""Which runs are tried again after a failed slice, when, and which ones fail."""

import time

import pytest

from bnlab.runs.errors import CONFLICT, DAMAGED, DISK_FULL, ConflictError, DamagedError, StoreError
from bnlab.runs.retries import MAX_DEATHS, MAX_PAUSE_SECONDS, OTHER_SCHEDULER, OTHER_STORE, FailedSlices, Retries
from bnlab.runs.writer import MissingRunError, SupersededError


def test_pauses_double_up_to_a_limit() -> None:
    begun = time.monotonic() - 3.0
    over = [FailedSlices(count, "", begun).pause_is_over for count in (1, 2, 3, 4, 40)]
    assert over == [True, True, True, False, False]
    assert FailedSlices(40, "", begun - MAX_PAUSE_SECONDS).pause_is_over


@pytest.mark.parametrize(
    ("error", "sentences"),
    [
        (StoreError(DISK_FULL), [DISK_FULL, DISK_FULL]),
        (SupersededError("digest"), ["", OTHER_SCHEDULER]),
        (MissingRunError("digest"), ["", OTHER_STORE]),
    ],
    ids=["store", "superseded", "missing"],
)
def test_a_run_is_tried_again_and_pauses_from_the_second_time_on(error: Exception, sentences: list[str]) -> None:
    retries = Retries()
    for sentence, pauses in zip(sentences, (False, True), strict=True):
        assert retries.record_error("a", error) == ""
        assert (retries.sentence, retries.must_pause("a")) == (sentence, pauses)
    retries.clear("a")
    assert (retries.sentence, retries.must_pause("a")) == ("", False)


def test_other_runs_neither_pause_nor_are_kept() -> None:
    retries = Retries()
    for _ in range(2):
        retries.record_error("a", StoreError(DISK_FULL))
    assert not retries.must_pause("b")
    retries.keep({"b"})
    assert (retries.sentence, retries.must_pause("a")) == ("", False)


def test_a_run_fails_on_other_errors_and_on_repeated_conflicts() -> None:
    retries = Retries()
    assert "ZeroDivisionError" in retries.record_error("a", ZeroDivisionError("0"))
    conflicts = [retries.record_error("b", ConflictError(CONFLICT)) for _ in range(MAX_DEATHS + 1)]
    assert conflicts == [""] * MAX_DEATHS + [CONFLICT]


def test_a_run_fails_on_a_damaged_checkpoint() -> None:
    assert Retries().record_error("a", DamagedError(DAMAGED)) == DAMAGED


def test_a_run_fails_after_workers_have_died_in_a_row() -> None:
    retries = Retries()
    for _ in range(MAX_DEATHS - 1):
        assert retries.record_death("a") == ""
    retries.clear("a")
    deaths = [retries.record_death("a") for _ in range(MAX_DEATHS)]
    assert deaths[:-1] == [""] * (MAX_DEATHS - 1)
    assert str(MAX_DEATHS) in deaths[-1]
