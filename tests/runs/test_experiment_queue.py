"""The queue of requested experiments."""

from pathlib import Path

from bnlab.runs.experiment_queue import dequeue, enqueue, experiment_shares, queued
from bnlab.runs.shares import COMMAND_LINE, Shares
from bnlab.runs.store import Store


def test_enqueue_and_dequeue_latest_first(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bnlab.db'}")
    assert queued(store) == []
    for name in ("A1 quick 0:5", "A2 quick 0:5", "A1 quick 0:5"):
        enqueue(store, [name])
    enqueue(store, [])
    assert queued(store) == ["A1 quick 0:5", "A2 quick 0:5"]
    dequeue(store, "A1 quick 0:5")
    dequeue(store, "never entered")
    assert queued(Store(store.url)) == ["A2 quick 0:5"]


def test_an_experiment_leaves_the_queue_when_nobody_wants_it(store: Store) -> None:
    for visitor in ("ann", "ben", "ann"):
        enqueue(store, ["A1", "A2"], visitor)
    assert experiment_shares(store) == dict.fromkeys(("A1", "A2"), Shares(frozenset(["ann", "ben"])))
    assert not dequeue(store, "A1", "somebody else")
    assert not dequeue(store, "A1", "ann")
    assert not dequeue(store, "A1", "ann"), "ann has no share any more"
    assert sorted(queued(store)) == ["A1", "A2"]
    assert dequeue(store, "A1", "ben")
    assert queued(store) == ["A2"]
    assert dequeue(store, "A2"), "for everybody"
    assert (queued(store), experiment_shares(store)) == ([], {})


def test_an_experiment_of_the_command_line_is_stopped_by_anybody(store: Store) -> None:
    enqueue(store, ["A1"], COMMAND_LINE)
    enqueue(store, ["A1"], "ann")
    assert not dequeue(store, "A1", "ann"), "the command line wants it"
    assert dequeue(store, "A1", "ann"), "and no visitor"
