"""Commits: all or nothing, and only by the latest slice."""

import numpy as np
import pytest
from sqlalchemy import event, select

from bnlab.runs.errors import ConflictError
from bnlab.runs.reader import evaluations_frame, layers_frame, snapshots_frame, steps_frame
from bnlab.runs.run import RunState
from bnlab.runs.schema import metadata
from bnlab.runs.store import Store
from bnlab.runs.writer import SupersededError, read_checkpoint
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Records
from tests.stored_runs import OWNER, CheckpointStub, float32_array, make_evaluation, open_writer

SPEC = RunSpec(train_examples=64, epochs=3)


def block(first: int, *losses: float, evaluations: tuple[int, ...] = ()) -> Records:
    return Records(
        first, float32_array(*losses), float32_array(*losses) / 10, [make_evaluation(step) for step in evaluations]
    )


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.engine.connect() as connection:
        return {t.name: [tuple(row) for row in connection.execute(select(t))] for t in metadata.sorted_tables}


def test_commit_is_read_back(store: Store) -> None:
    open_writer(store, SPEC).commit(block(0, 2.5, 2.25, evaluations=(0, 2)), CheckpointStub(2, 0.5), RunState.RUNNING)
    run = store.run(SPEC.digest)
    assert (run.state, run.step, run.seconds) == (RunState.RUNNING, 2, 0.5)
    assert steps_frame(store, SPEC.digest)["loss"].tolist() == [2.5, 2.25]
    assert evaluations_frame(store, [run])["step"].tolist() == [0, 2]
    assert len(layers_frame(store, SPEC.digest)) == 2
    assert snapshots_frame(store, SPEC.digest, "bn_1")["variable"].tolist() == ["beta", "gamma"] * 2


def test_a_commit_without_records_updates_the_run(store: Store) -> None:
    launched = store.launch(SPEC, "A", OWNER)
    writer = open_writer(store, SPEC)
    store.request_stop([SPEC.digest])
    writer.commit(Records(0), CheckpointStub(0), RunState.STOPPED)
    run = store.run(SPEC.digest)
    assert run.state is RunState.STOPPED
    assert run.updated_at >= launched.updated_at
    assert steps_frame(store, SPEC.digest).empty


def test_no_checkpoint_before_the_first_commit(store: Store) -> None:
    open_writer(store, SPEC)
    assert read_checkpoint(store, SPEC.digest) is None
    assert read_checkpoint(store, "nowhere") is None


def test_a_checkpoint_is_read_back_to_the_bit(store: Store) -> None:
    random = np.random.default_rng(0)
    arrays = {
        "dense_1/kernel": random.normal(size=(5, 3)).astype(np.float32),
        "bn_1/gamma": float32_array(-0.0, 1e-45, np.inf, np.nan),
        "one": float32_array(3.0),
        "scalar": np.array(2.5, np.float32),
        "transposed": random.normal(size=(4, 2)).astype(np.float32).T,
    }
    writer = open_writer(store, SPEC)
    writer.commit(Records(0), CheckpointStub(7, 1.25, arrays), RunState.RUNNING)
    checkpoint = read_checkpoint(store, SPEC.digest)
    assert checkpoint is not None
    read = checkpoint.arrays
    assert (checkpoint.step, checkpoint.seconds, read.keys()) == (7, 1.25, arrays.keys())
    for name, array in arrays.items():
        assert read[name].shape == array.shape, name
        assert read[name].dtype == np.float32
        assert read[name].tobytes() == np.ascontiguousarray(array).tobytes(), name


def test_a_checkpoint_is_read_in_one_query(store: Store) -> None:
    open_writer(store, SPEC).commit(Records(0), CheckpointStub(7), RunState.RUNNING)
    statements: list[str] = []
    event.listen(store.engine, "after_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    read_checkpoint(store, SPEC.digest)
    assert len(statements) == 1


def test_a_checkpoint_replaces_the_one_before(store: Store) -> None:
    writer = open_writer(store, SPEC)
    writer.commit(
        block(0, 1.0), CheckpointStub(1, 0.1, {"a": float32_array(1), "b": float32_array(1)}), RunState.RUNNING
    )
    writer.commit(block(1, 1.0), CheckpointStub(2, 0.2, {"a": float32_array(2)}), RunState.RUNNING)
    checkpoint = read_checkpoint(store, SPEC.digest)
    assert checkpoint is not None
    assert checkpoint.step == 2
    assert {name: array.tolist() for name, array in checkpoint.arrays.items()} == {"a": [2.0]}


@pytest.mark.parametrize("table", ["steps", "evaluations", "layers", "snapshots", "checkpoints"])
def test_a_commit_that_fails_halfway_leaves_nothing(store: Store, table: str) -> None:
    writer = open_writer(store, SPEC)
    writer.commit(block(0, 1.0, evaluations=(0,)), CheckpointStub(1), RunState.RUNNING)
    before = everything(store)

    def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(f"INSERT INTO {table} "):
            raise OSError("the disk is full")

    event.listen(store.engine, "after_cursor_execute", fail)
    with pytest.raises(OSError, match="the disk is full"):
        writer.commit(block(1, 2.0, evaluations=(2,)), CheckpointStub(2), RunState.COMPLETED)
    event.remove(store.engine, "after_cursor_execute", fail)
    assert everything(store) == before
    writer.commit(block(1, 2.0, evaluations=(2,)), CheckpointStub(2), RunState.COMPLETED)
    assert store.run(SPEC.digest).state is RunState.COMPLETED


def test_the_same_steps_are_never_recorded_twice(store: Store) -> None:
    writer = open_writer(store, SPEC)
    writer.commit(block(0, 1.0), CheckpointStub(1), RunState.RUNNING)
    before = everything(store)
    with pytest.raises(ConflictError):
        writer.commit(block(0, 2.0), CheckpointStub(1), RunState.RUNNING)
    assert everything(store) == before


def test_a_superseded_slice_writes_nothing(store: Store) -> None:
    old = open_writer(store, SPEC)
    new = open_writer(store, SPEC)
    before = everything(store)
    with pytest.raises(SupersededError):
        old.stop_requested()
    with pytest.raises(SupersededError):
        old.commit(block(0, 1.0, evaluations=(0,)), CheckpointStub(1), RunState.COMPLETED)
    assert everything(store) == before
    new.commit(block(0, 3.0), CheckpointStub(1), RunState.RUNNING)
    assert steps_frame(store, SPEC.digest)["loss"].tolist() == [3.0]


def test_a_deleted_run_supersedes_its_slice(store: Store) -> None:
    writer = open_writer(store, SPEC)
    store.release(OWNER)
    store.request_stop([SPEC.digest])
    store.delete([SPEC.digest])
    with pytest.raises(SupersededError):
        writer.stop_requested()
    with pytest.raises(SupersededError):
        writer.commit(block(0, 1.0), CheckpointStub(1), RunState.RUNNING)
    assert not any(everything(store).values())


def test_a_requested_stop_is_read(store: Store) -> None:
    writer = open_writer(store, SPEC)
    assert not writer.stop_requested()
    store.request_stop([SPEC.digest])
    assert writer.stop_requested()


def test_a_diverged_run_keeps_its_curves(store: Store) -> None:
    writer = open_writer(store, SPEC)
    writer.commit(block(0, 2.0, 50.0, evaluations=(0,)), CheckpointStub(2), RunState.RUNNING)
    writer.commit(block(2, np.inf, np.nan), CheckpointStub(4), RunState.DIVERGED)
    assert store.launch(SPEC, "A", OWNER).state is RunState.DIVERGED
    losses = steps_frame(store, SPEC.digest)["loss"].tolist()
    assert losses[:3] == [2.0, 50.0, np.inf]
    assert np.isnan(losses[3])


def test_a_validation_that_is_not_a_number_is_read_back_as_missing(store: Store) -> None:
    records = Records(0, evaluations=[make_evaluation(0, val_loss=np.nan, val_accuracy=0.1)])
    open_writer(store, SPEC).commit(records, CheckpointStub(0), RunState.RUNNING)
    frame = evaluations_frame(store, [store.run(SPEC.digest)])
    assert frame["val_loss"].isna().all()
    assert frame["val_accuracy"].tolist() == [0.1]


def test_a_writer_writes_its_run_only(store: Store) -> None:
    other = RunSpec(train_examples=64, epochs=3, seed=1)
    open_writer(store, SPEC).commit(block(0, 1.0), CheckpointStub(1), RunState.RUNNING)
    open_writer(store, other).commit(block(0, 2.0), CheckpointStub(1), RunState.COMPLETED)
    assert store.run(SPEC.digest).state is RunState.RUNNING
    assert steps_frame(store, SPEC.digest)["loss"].tolist() == [1.0]
    checkpoints = [read_checkpoint(store, spec.digest) for spec in (SPEC, other)]
    assert [checkpoint and checkpoint.step for checkpoint in checkpoints] == [1, 1]


def test_a_slice_does_not_stop_a_run_that_was_launched_again(store: Store) -> None:
    writer = open_writer(store, SPEC)
    store.request_stop([SPEC.digest])
    assert writer.stop_requested()
    store.launch(SPEC, "A", OWNER)
    writer.commit(Records(0), CheckpointStub(0), RunState.STOPPED)
    assert store.run(SPEC.digest).state is RunState.RUNNING
