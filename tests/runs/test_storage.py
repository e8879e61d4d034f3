"""Disk use and deleting checkpoints, against what was written."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import delete, event

from bnlab.runs.reader import evaluations_frame, steps_frame
from bnlab.runs.run import RunState
from bnlab.runs.schema import checkpoints
from bnlab.runs.storage import completed_checkpoints, delete_checkpoints, storage_use, stored_bytes
from bnlab.runs.store import Store
from bnlab.runs.writer import read_checkpoint
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records
from tests.runs.store_rows import tiny_spec
from tests.stored_runs import CheckpointStub, float32_array, make_evaluation, open_writer, record_run


def file_size(store: Store) -> int:
    return Path(store.engine.url.database or "").stat().st_size


def record_weights(store: Store, spec: RunSpec, count: int, state: RunState = RunState.COMPLETED) -> str:
    """Record a run whose checkpoint has `count` numbers; returns its digest."""
    arrays = {"dense_1/kernel": np.ones(count, np.float32)}
    open_writer(store, spec).commit(Records(0), CheckpointStub(0, 0.0, arrays), state)
    return spec.digest


def count_arrays(store: Store, digest: str) -> int:
    checkpoint = read_checkpoint(store, digest)
    return len(checkpoint.arrays) if checkpoint else 0


def test_empty_store_uses_no_bytes(store: Store) -> None:
    assert storage_use(store) == {"steps": 0, "snapshots": 0, "layers": 0, "checkpoints": 0}


def test_four_bytes_per_number(store: Store) -> None:
    for spec in map(tiny_spec, range(2)):
        record_run(store, spec, (3.0, 2.0, 1.0), (make_evaluation(0), make_evaluation(1)))
    runs, evaluations = 2, 2
    assert storage_use(store) == {
        "steps": runs * 4 * 2 * 3,  # loss and accuracy
        "snapshots": runs * evaluations * 4 * 2 * 2,  # gamma and beta of two units
        "layers": runs * evaluations * 4 * 5,  # percentiles
        "checkpoints": runs * 4 * 2 * 3,  # a 2 × 3 kernel
    }


def test_only_checkpoints_of_trained_runs_are_deleted(store: Store) -> None:
    by_state = {}
    for spec, state in zip(
        map(tiny_spec, range(5)), [state for state in RunState if state is not RunState.QUEUED], strict=True
    ):
        by_state[state] = record_weights(store, spec, 6, state)
    ended = {by_state[RunState.COMPLETED], by_state[RunState.DIVERGED]}
    assert set(completed_checkpoints(store)) == ended
    delete_checkpoints(store, [*by_state.values(), "gone"])
    assert completed_checkpoints(store) == []
    assert storage_use(store)["checkpoints"] == 3 * 4 * 6
    assert count_arrays(store, by_state[RunState.STOPPED]) == 1


def test_completed_checkpoints_are_listed_once(store: Store) -> None:
    run = record_run(store, tiny_spec(0), state=RunState.COMPLETED)
    arrays = {name: float32_array(1) for name in "abc"}
    open_writer(store, tiny_spec(0)).commit(Records(0), CheckpointStub(0, 0.0, arrays), RunState.COMPLETED)
    assert completed_checkpoints(store) == [run.digest]


def test_deleting_checkpoints_keeps_curves_and_other_runs(store: Store) -> None:
    first, second = map(tiny_spec, range(2))
    run = record_run(store, first, (3.0, 2.0), (make_evaluation(0),), RunState.COMPLETED)
    record_run(store, second, (1.0,), state=RunState.COMPLETED)
    delete_checkpoints(store, [first.digest])
    assert completed_checkpoints(store) == [second.digest]
    assert steps_frame(store, first.digest)["loss"].tolist() == [3, 2]
    assert len(evaluations_frame(store, [run])) == 1
    assert store.run(first.digest) == run


def test_deleting_checkpoints_shrinks_the_file(store: Store) -> None:
    digest = record_weights(store, tiny_spec(0), 1_000_000)
    delete_checkpoints(store, [digest])
    store.engine.dispose()  # checkpoints the write-ahead log
    assert file_size(store) < 500_000


def test_the_size_of_a_store_is_that_of_its_file_without_what_was_freed(store: Store) -> None:
    empty = stored_bytes(store)
    digest = record_weights(store, tiny_spec(0), 1_000_000)
    full = stored_bytes(store)
    assert 4_000_000 <= full - empty < 4_100_000
    with store.engine.begin() as connection:
        connection.execute(delete(checkpoints).where(checkpoints.c.run == digest))
    assert file_size(store) > 4_000_000
    assert stored_bytes(store) - empty < 100_000


def test_checkpoints_are_deleted_while_another_process_writes(tmp_path: Path) -> None:
    """The file does not shrink then."""
    store = Store(f"sqlite:///{tmp_path}/busy.db", busy_seconds=0.05)
    digest = record_weights(store, tiny_spec(0), 1_000)
    writer = sqlite3.connect(tmp_path / "busy.db", isolation_level=None)

    def begin_to_write(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement == "VACUUM":
            writer.execute("BEGIN IMMEDIATE")

    event.listen(store.engine, "before_cursor_execute", begin_to_write)
    delete_checkpoints(store, [digest])
    assert writer.in_transaction
    writer.close()
    assert storage_use(store)["checkpoints"] == 0
    assert store.runs(), "and the store is as usable as before"
