"""The document of the Runs page: the active runs, and when the page is to be rendered again."""

from dataclasses import replace
from pathlib import Path

import pytest

from bnlab.live import reading as reading_module
from bnlab.live.events import difference, event
from bnlab.live.runs import MAX_LISTED, RunsView, runs_versions
from bnlab.runs.estimates import Place
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.live.still_scheduler import reader_of
from tests.live.test_compare import MAX_UPDATE_BYTES, commit
from tests.stored_runs import OWNER, open_writer


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/bnlab.db")


def shown(store: Store) -> dict:
    return dict(RunsView().document(reader_of(store).read((), every_run=True)))


def test_the_document_follows_the_active_runs(store: Store) -> None:
    empty = shown(store)
    assert (empty["active"], empty["summary"]) == ({}, "")
    writer = open_writer(store, RunSpec(epochs=4, train_examples=6_400), "First")
    store.launch(RunSpec(epochs=4, train_examples=6_400, seed=1), "Second", OWNER)
    commit(writer, 0, 100)
    training = shown(store)
    assert [row["label"] for row in training["active"].values()] == ["First", "Second"]
    assert [row["share"] for row in training["active"].values()] == ["12%", "0%"]
    commit(writer, 100, 200)
    later = shown(store)
    assert later["page"] == training["page"] != empty["page"], "a step changes nothing that the page offers"
    change = difference(training, later)
    assert change.keys() <= {"active", "summary"}
    store.request_stop([RunSpec(epochs=4, train_examples=6_400).digest])
    commit(writer, 200, 300, RunState.STOPPED)
    ended = shown(store)
    assert [row["label"] for row in ended["active"].values()] == ["Second"]
    assert ended["page"] != later["page"]


def test_of_many_waiting_runs_the_first_are_listed_and_all_are_counted(store: Store) -> None:
    labelled = [(RunSpec(epochs=4, seed=seed), f"Run {seed}") for seed in range(MAX_LISTED + 10)]
    store.launch_runs(labelled, OWNER)
    document = shown(store)
    assert [row["label"] for row in document["active"].values()] == [label for _, label in labelled[:MAX_LISTED]]
    assert f"{MAX_LISTED + 10} waiting" in document["summary"]


def test_a_waiting_run_may_not_be_in_the_queue_yet(store: Store) -> None:
    first, second = store.launch_runs([(RunSpec(seed=seed), f"Run {seed}") for seed in range(2)], OWNER)
    reading = reader_of(store).read((), every_run=True)
    document = RunsView().document(replace(reading, queue={first.digest: Place(1)}))
    assert list(document["active"]) == [f"run-{second.digest}", f"run-{first.digest}"]


def test_runs_of_one_name_are_told_apart_by_their_seeds(store: Store) -> None:
    store.launch_runs([(RunSpec(seed=0), "A"), (RunSpec(seed=1), "A"), (RunSpec(epochs=2), "B")], OWNER)
    labels = [row["label"] for row in shown(store)["active"].values()]
    assert labels == ["A, seed 0", "A, seed 1", "B"]


def test_an_update_is_small(store: Store) -> None:
    writers = [open_writer(store, RunSpec(epochs=4, seed=seed), f"Run {seed}") for seed in range(8)]
    before = shown(store)
    for writer in writers:
        commit(writer, 0, 100)
    assert len(event("change", "0000-1", difference(before, shown(store)))) <= MAX_UPDATE_BYTES


def test_a_new_name_note_or_tag_is_a_change_of_the_page(store: Store) -> None:
    run = store.launch(RunSpec(), "A", OWNER)
    before = shown(store)["page"]
    assert before == runs_versions(store.runs(), "")
    store.rename(run.digest, "B")
    renamed = shown(store)["page"]
    assert renamed != before
    store.annotate(run.digest, "A note.", [])
    noted = shown(store)["page"]
    assert noted != renamed
    store.annotate(run.digest, "A note.", ["a tag"])
    assert shown(store)["page"] != noted


def test_active_and_watched_runs_are_read_at_each_update_and_all_others_now_and_then(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "ALL_RUNS_SECONDS", 3600.0)
    specs = [RunSpec(epochs=4, train_examples=6_400, seed=seed) for seed in range(4)]
    first, second, third, fourth = specs
    writer = open_writer(store, first, "First")
    commit(writer, 0, 50)
    store.launch(second, "Second", OWNER)
    store.request_stop([second.digest])
    store.finish(second.digest, OWNER, RunState.STOPPED)
    reader, asked, read_runs = reader_of(store), [], store.runs
    reader.read((), every_run=True)
    monkeypatch.setattr(store, "runs", lambda digests=None: asked.append(digests) or read_runs(digests))
    commit(writer, 50, 100)
    reading = reader.read((), every_run=True)
    assert (reading.runs[first.digest].step, len(reading.runs), asked) == (100, 2, [{first.digest}])
    store.launch(third, "Third", OWNER)
    assert third.digest not in reader.read((), every_run=True).runs, "a while later"
    store.launch(fourth, "Fourth", OWNER)
    assert len(reader.read({fourth.digest}, every_run=True).runs) == 4, "one that somebody watches is there at once"
    store.request_stop([first.digest])
    commit(writer, 100, 200, RunState.STOPPED)
    assert reader.read((), every_run=True).runs[first.digest].state is RunState.STOPPED
    store.delete([second.digest])
    assert len(reader.read({first.digest}).runs) == 1
    assert len(reader.read((), every_run=True).runs) == 3, "only what is watched has been read in between"
