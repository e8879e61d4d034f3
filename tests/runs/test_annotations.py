"""Notes and tags: what may be written, and that the store keeps it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlab.runs.annotations import (
    MAX_NOTE_LENGTH,
    MAX_TAG_LENGTH,
    MAX_TAGS,
    AnnotationError,
    check_note,
    check_tags,
    join_tags,
    split_tags,
)
from bnlab.runs.run_table import matching_runs, present_values
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import OWNER

FIRST, SECOND = RunSpec(), RunSpec(seed=1)


@pytest.fixture
def store(store: Store) -> Store:
    store.launch_runs([(FIRST, "first"), (SECOND, "second")], OWNER)
    return store


def tags(store: Store) -> list[tuple[str, ...]]:
    return [store.run(spec.digest).tags for spec in (FIRST, SECOND)]


@given(st.lists(st.text(max_size=MAX_TAG_LENGTH), max_size=MAX_TAGS))
def test_tags_that_are_accepted_are_stored_as_they_are(texts: list[str]) -> None:
    try:
        checked = check_tags(texts)
    except AnnotationError:
        return
    assert split_tags(join_tags(checked)) == checked == check_tags(checked)


@given(st.text(max_size=MAX_NOTE_LENGTH))
def test_a_note_that_is_accepted_is_accepted_again(text: str) -> None:
    try:
        note = check_note(text)
    except AnnotationError:
        return
    assert check_note(note) == note


def test_spaces_and_repeated_tags_are_removed() -> None:
    assert check_tags(["  for   class", "B", "a", "for class", " ", ""]) == ("a", "B", "for class")
    assert check_note(" \r\n First line.\r\nSecond <b>line</b>.\n") == "First line.\nSecond <b>line</b>."


@pytest.mark.parametrize(
    "texts", [["x" * (MAX_TAG_LENGTH + 1)], [str(number) for number in range(MAX_TAGS + 1)], ["a\0b"], ["\ud800"]]
)
def test_tags_that_are_refused(texts: list[str], store: Store) -> None:
    with pytest.raises(AnnotationError):
        store.annotate(FIRST.digest, "A note.", texts)
    with pytest.raises(AnnotationError):
        store.change_tags([FIRST.digest, SECOND.digest], add=texts, remove=())
    assert tags(store) == [(), ()]
    assert store.run(FIRST.digest).note == "", "nothing is changed"


@pytest.mark.parametrize("text", ["x" * (MAX_NOTE_LENGTH + 1), "a\0b", "\ud800"])
def test_notes_that_are_refused(text: str, store: Store) -> None:
    with pytest.raises(AnnotationError):
        store.annotate(FIRST.digest, text, [])


def test_a_run_keeps_its_note_and_tags_when_it_is_launched_again(store: Store) -> None:
    store.annotate(FIRST.digest, "Line 1\nLine 2", ["b", "a"])
    store.launch(FIRST, "other label", OWNER)
    run = store.run(FIRST.digest)
    assert (run.note, run.tags) == ("Line 1\nLine 2", ("a", "b"))
    assert tags(store)[1] == ()


def test_tags_of_several_runs_are_changed_together(store: Store) -> None:
    store.annotate(FIRST.digest, "A note.", ["old", "own"])
    store.annotate(SECOND.digest, "", ["old"])
    store.change_tags([FIRST.digest, SECOND.digest], add=["new", "own"], remove=["old"])
    assert tags(store) == [("new", "own")] * 2
    assert store.run(FIRST.digest).note == "A note."


def test_tags_are_added_to_all_runs_or_to_none(store: Store) -> None:
    store.annotate(SECOND.digest, "", [str(number) for number in range(MAX_TAGS)])
    with pytest.raises(AnnotationError):
        store.change_tags([FIRST.digest, SECOND.digest], add=["one more"], remove=())
    assert tags(store)[0] == ()


def test_runs_are_found_by_their_tags(store: Store) -> None:
    store.annotate(FIRST.digest, "", ["a", "b"])
    store.annotate(SECOND.digest, "", ["b", "c"])
    runs = store.runs()
    assert present_values(runs, "tag") == {"a": 1, "b": 2, "c": 1}
    assert [run.label for run in matching_runs(runs, {"tag": ["c"]})] == ["second"]
    assert matching_runs(runs, {"tag": ["a", "c"]}) == runs
