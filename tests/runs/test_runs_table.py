"""All runs at a glance, and the room they take, against what was written."""

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import event

from bnlab.runs import database
from bnlab.runs.reader import evaluations_frame, steps_frame
from bnlab.runs.recording import read_recording, write_recording
from bnlab.runs.run import RunState
from bnlab.runs.runs_table import COLUMNS, runs_frame
from bnlab.runs.storage import completed_checkpoints, delete_checkpoints, storage_use
from bnlab.runs.store import Store
from bnlab.runs.writer import read_checkpoint
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records
from tests.stored_runs import OWNER, CheckpointStub, float32_array, make_evaluation, open_writer, record_run

SPEC = RunSpec(train_examples=8, batch_size=4, epochs=2)


def specs(count: int) -> list[RunSpec]:
    return [SPEC.model_copy(update={"seed": seed}) for seed in range(count)]


def size(store: Store) -> int:
    return Path(store.engine.url.database or "").stat().st_size


def record_weights(store: Store, spec: RunSpec, floats: int, state: RunState = RunState.COMPLETED) -> str:
    """A run whose checkpoint has that many numbers."""
    arrays = {"dense_1/kernel": np.ones(floats, np.float32)}
    open_writer(store, spec).commit(Records(0), CheckpointStub(0, 0.0, arrays), state)
    return spec.digest


def weights_of(store: Store, digest: str) -> int:
    checkpoint = read_checkpoint(store, digest)
    return len(checkpoint.arrays) if checkpoint else 0


def test_a_row_says_what_is_known_of_a_run(store: Store) -> None:
    spec = SPEC.model_copy(update={"placement": "before_activation", "seed": 7})
    run = record_run(store, spec, (3.0, 2.0, 1.0), (make_evaluation(0, 2.0, 0.1), make_evaluation(2, 1.0, 0.75)))
    (row,) = runs_frame(store, [run]).to_dict("records")
    assert row == {
        "digest": spec.digest,
        "label": "A",
        "placement": "Before the activation",
        "state": "RUNNING",
        "progress": 0.75,
        "val_accuracy": 0.75,
        "seconds": pytest.approx(0.3),
        "epochs": 2,
        "seed": 7,
        "made": pd.Timestamp(datetime.fromtimestamp(int(run.created_at))),  # noqa: DTZ006 - as the reader's clock shows
        "recorded": False,
    }


def test_the_newest_comes_first_whatever_the_order(store: Store) -> None:
    runs = [store.launch(spec, str(spec.seed), OWNER) for spec in specs(3)]
    assert [run.created_at for run in runs] == sorted({run.created_at for run in runs})
    frame = runs_frame(store, [runs[1], runs[2], runs[0]])
    assert frame["seed"].tolist() == [2, 1, 0]


def test_each_runs_accuracy_is_its_own_last_one(store: Store) -> None:
    first, second, overflowed, waiting = specs(4)
    record_run(store, first, (), (make_evaluation(4, val_accuracy=0.9), make_evaluation(0, val_accuracy=0.1)))
    record_run(store, second, (), (make_evaluation(0, val_accuracy=0.2),))
    record_run(
        store, overflowed, (), (make_evaluation(0, val_accuracy=0.3), make_evaluation(1, val_accuracy=float("nan")))
    )
    store.launch(waiting, "A", OWNER)
    frame = runs_frame(store, store.runs()).set_index("seed")["val_accuracy"]
    np.testing.assert_array_equal(frame[[0, 1, 2, 3]], [0.9, 0.2, np.nan, np.nan])


def test_no_runs_no_rows(store: Store) -> None:
    record_run(store, SPEC, (), (make_evaluation(0),))
    frame = runs_frame(store, [])
    assert frame.empty
    assert tuple(frame.columns) == COLUMNS
    assert frame["val_accuracy"].dtype == float


def test_what_came_along_is_told_from_what_was_trained_here(store: Store, tmp_path: Path) -> None:
    theirs, ours = specs(2)
    elsewhere = Store(f"sqlite:///{tmp_path}/elsewhere.db")
    run = record_run(elsewhere, theirs, (2.0, 1.0), (make_evaluation(0),), RunState.COMPLETED)
    write_recording(elsewhere, [run], tmp_path / "runs.npz")
    read_recording(store, (tmp_path / "runs.npz").read_bytes())
    record_run(store, ours, (2.0, 1.0))
    frame = runs_frame(store, store.runs())
    assert frame["recorded"].dtype == bool
    assert dict(zip(frame["digest"], frame["recorded"], strict=True)) == {theirs.digest: True, ours.digest: False}


def test_an_empty_store_takes_no_room(store: Store) -> None:
    assert storage_use(store) == {"steps": 0, "snapshots": 0, "layers": 0, "checkpoints": 0}


def test_room_is_four_bytes_a_number(store: Store) -> None:
    for spec in specs(2):
        record_run(store, spec, (3.0, 2.0, 1.0), (make_evaluation(0), make_evaluation(1)))
    runs, moments = 2, 2
    assert storage_use(store) == {
        "steps": runs * 4 * 2 * 3,  # loss and accuracy
        "snapshots": runs * moments * 4 * 2 * 2,  # gamma and beta of two units
        "layers": runs * moments * 4 * 5,  # percentiles
        "checkpoints": runs * 4 * 2 * 3,  # a 2 × 3 kernel
    }


def test_only_what_nothing_continues_can_be_forgotten(store: Store) -> None:
    by_state = {}
    for spec, state in zip(specs(5), [state for state in RunState if state is not RunState.QUEUED], strict=True):
        by_state[state] = record_weights(store, spec, 6, state)
    ended = {by_state[RunState.COMPLETED], by_state[RunState.DIVERGED]}
    assert set(completed_checkpoints(store)) == ended
    delete_checkpoints(store, [*by_state.values(), "gone"])
    assert completed_checkpoints(store) == []
    assert storage_use(store)["checkpoints"] == 3 * 4 * 6
    assert weights_of(store, by_state[RunState.STOPPED]) == 1


def test_each_run_is_named_once_however_many_arrays_it_has(store: Store) -> None:
    run = record_run(store, SPEC, state=RunState.COMPLETED)
    arrays = {name: float32_array(1) for name in "abc"}
    open_writer(store, SPEC).commit(Records(0), CheckpointStub(0, 0.0, arrays), RunState.COMPLETED)
    assert completed_checkpoints(store) == [run.digest]


def test_the_curves_and_the_other_runs_stay(store: Store) -> None:
    first, second = specs(2)
    run = record_run(store, first, (3.0, 2.0), (make_evaluation(0),), RunState.COMPLETED)
    record_run(store, second, (1.0,), state=RunState.COMPLETED)
    delete_checkpoints(store, [first.digest])
    assert completed_checkpoints(store) == [second.digest]
    assert steps_frame(store, first.digest)["loss"].tolist() == [3, 2]
    assert len(evaluations_frame(store, [run])) == 1
    assert store.run(first.digest) == run


def test_the_room_is_given_back(store: Store) -> None:
    digest = record_weights(store, SPEC, 1_000_000)
    delete_checkpoints(store, [digest])
    store.engine.dispose()  # which writes the log back into the file
    assert size(store) < 500_000


def test_weights_are_forgotten_even_while_somebody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is made smaller another time then."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    store = Store(f"sqlite:///{tmp_path}/busy.db")
    digest = record_weights(store, SPEC, 1_000)
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
