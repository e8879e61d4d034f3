"""The queue of requested experiments."""

from pathlib import Path

from bnlab.runs.experiment_queue import dequeue, enqueue, queued
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
