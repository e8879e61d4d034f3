"""Slices trained in this process, against an undisturbed training."""

import pickle
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import update

from bnlab.runs import worker, writer
from bnlab.runs.datasets import register_datasets
from bnlab.runs.errors import StoreError
from bnlab.runs.reader import evaluations_frame, history_frame, snapshots_frame, steps_frame
from bnlab.runs.retries import Retries
from bnlab.runs.run import RunState
from bnlab.runs.schema import runs
from bnlab.runs.store import Store
from bnlab.runs.writer import RunWriter, SupersededError, read_checkpoint
from bnlab.specs.datasets import DatasetError
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import parse_spec
from tests.broken_stores import Breakage, full, is_a_plain_sentence, locked, moved_away
from tests.dataset_files import small_arrays, write_dataset
from tests.old_store import unpack_old_store
from tests.one_thread import one_thread, without_xla
from tests.slow import all_but_one_slow
from tests.stored_runs import OWNER

__all__ = ["one_thread", "without_xla"]

SPEC = RunSpec(
    placement="before_activation", hidden_units=(8,), train_examples=300, epochs=2, validation="holdout",
    optimizer="sgd_momentum",
)  # fmt: skip

OTHER = SPEC.model_copy(update={"seed": 1})


@pytest.fixture(autouse=True)
def _short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(worker, "STOP_POLL_SECONDS", 0.0)


def train(store: Store, spec: RunSpec) -> RunState:
    fence = store.next_fence(spec.digest, OWNER)
    assert fence is not None
    return worker.train_slice(store.url, spec.digest, fence)


def train_until(store: Store, spec: RunSpec, over: Callable[[RunState], bool] = RunState.is_finished) -> list[RunState]:
    """The state after each slice, the last one of which is `over`."""
    states = [train(store, spec)]
    while not over(states[-1]):
        states.append(train(store, spec))
    return states


@cache
def undisturbed(spec: RunSpec) -> tuple[np.ndarray, np.ndarray, list[tuple[int, float, float]], dict[str, np.ndarray]]:
    from bnlab.training.records import Records
    from bnlab.training.trainer import Trainer

    training, records = Trainer(spec), Records(0)
    while not (training.finished or training.diverged):
        records.extend(training.advance())
    measured = [(m.step, m.val_loss, m.val_accuracy) for m in records.evaluations]
    return records.loss, records.accuracy, measured, training.checkpoint().arrays


def assert_is_undisturbed(store: Store, spec: RunSpec) -> None:
    loss, accuracy, measured, arrays = undisturbed(spec)
    curve, run = steps_frame(store, spec.digest), store.run(spec.digest)
    assert curve["step"].tolist() == list(range(1, spec.total_steps + 1))
    assert curve["loss"].to_numpy().tobytes() == loss.tobytes()
    assert curve["accuracy"].to_numpy().tobytes() == accuracy.tobytes()
    columns = ["step", "val_loss", "val_accuracy"]
    assert [tuple(row) for row in evaluations_frame(store, [run])[columns].to_numpy()] == measured
    checkpoint = read_checkpoint(store, spec.digest)
    assert checkpoint is not None
    assert (checkpoint.step, checkpoint.seconds) == (run.step, run.seconds) == (spec.total_steps, run.seconds)
    assert {name: a.tobytes() for name, a in checkpoint.arrays.items()} == {
        name: a.tobytes() for name, a in arrays.items()
    }


def test_slices_together_are_one_undisturbed_training(store: Store) -> None:
    store.launch(SPEC, "A", OWNER)
    states = train_until(store, SPEC)
    assert states == [RunState.RUNNING] * (len(states) - 1) + [RunState.COMPLETED]
    assert len(states) > 5
    assert_is_undisturbed(store, SPEC)
    assert history_frame(store, store.run(SPEC.digest))["epoch"].tolist() == [1, 2]
    assert set(snapshots_frame(store, SPEC.digest, "bn_1")["variable"]) == {
        "gamma", "beta", "moving_mean", "moving_variance",
    }  # fmt: skip


def test_one_long_slice_is_the_whole_training(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SLICE_SECONDS", 60.0)
    store.launch(SPEC, "A", OWNER)
    assert train(store, SPEC) is RunState.COMPLETED
    assert_is_undisturbed(store, SPEC)


@pytest.mark.slow
@pytest.mark.xla  # as the older version trained it
def test_a_run_that_an_older_version_stopped_goes_on(tmp_path: Path) -> None:
    store = Store(unpack_old_store(tmp_path))
    stopped = [run for run in store.runs() if run.label == "Stopped"]
    assert [(run.state, run.step, run.is_current) for run in stopped] == [(RunState.STOPPED, 6, True)]
    spec = stopped[0].spec
    store.launch(spec, "Stopped", OWNER)
    before = steps_frame(store, spec.digest)
    assert train_until(store, spec)[-1] is RunState.COMPLETED
    curve = steps_frame(store, spec.digest)
    pd.testing.assert_frame_equal(curve.head(len(before)), before)
    # Not bit for bit: other processors than the one that took the first steps round otherwise.
    loss, accuracy, measured, arrays = undisturbed(spec)
    assert curve["step"].tolist() == list(range(1, spec.total_steps + 1))
    np.testing.assert_allclose(curve["loss"], loss, rtol=1e-4)
    np.testing.assert_allclose(curve["accuracy"], accuracy, atol=1.5 / spec.batch_size)
    evaluations = evaluations_frame(store, [store.run(spec.digest)])
    np.testing.assert_allclose(evaluations["val_loss"], [row[1] for row in measured], rtol=1e-4)
    checkpoint = read_checkpoint(store, spec.digest)
    assert checkpoint is not None
    assert checkpoint.arrays.keys() == arrays.keys()
    for name, array in checkpoint.arrays.items():
        np.testing.assert_allclose(array, arrays[name], rtol=1e-2, atol=2e-3, err_msg=name)


def test_a_stopped_run_continues_when_launched_again(store: Store) -> None:
    store.launch(SPEC, "A", OWNER)
    train_until(store, SPEC, lambda _: store.run(SPEC.digest).step > 0)
    store.request_stop([SPEC.digest])
    assert train(store, SPEC) is RunState.STOPPED
    stopped = store.run(SPEC.digest)
    assert stopped.state is RunState.STOPPED
    assert 0 < stopped.step < SPEC.total_steps
    assert len(steps_frame(store, SPEC.digest)) == stopped.step
    assert store.launch(SPEC, "A", OWNER).step == stopped.step
    train_until(store, SPEC)
    assert_is_undisturbed(store, SPEC)


def test_a_stop_ends_a_slice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SLICE_SECONDS", 60.0)
    store.launch(SPEC, "A", OWNER)
    stop_requested, calls = RunWriter.stop_requested, []

    def request_stop_at_third_call(run_writer: RunWriter) -> bool:
        calls.append(run_writer)
        if len(calls) == 3:
            store.request_stop([SPEC.digest])
        return stop_requested(run_writer)

    monkeypatch.setattr(RunWriter, "stop_requested", request_stop_at_third_call)
    assert train(store, SPEC) is RunState.STOPPED
    assert len(calls) == 3
    assert store.run(SPEC.digest).step < SPEC.total_steps


def test_a_run_stopped_before_it_began_has_taken_no_step(store: Store) -> None:
    store.launch(SPEC, "A", OWNER)
    store.request_stop([SPEC.digest])
    assert train(store, SPEC) is RunState.STOPPED
    assert store.run(SPEC.digest).step == 0
    store.launch(SPEC, "A", OWNER)
    train_until(store, SPEC)
    assert_is_undisturbed(store, SPEC)


def test_a_superseded_slice_changes_nothing(store: Store) -> None:
    store.launch(SPEC, "A", OWNER)
    old = store.next_fence(SPEC.digest, OWNER)
    train(store, SPEC)
    before = store.run(SPEC.digest)
    with pytest.raises(SupersededError):
        worker.train_slice(store.url, SPEC.digest, old)
    assert store.run(SPEC.digest) == before


def test_a_slice_of_a_run_that_was_removed_changes_nothing(store: Store) -> None:
    store.launch(SPEC, "A", OWNER)
    fence = store.next_fence(SPEC.digest, OWNER)
    store.withdraw([SPEC.digest])
    with pytest.raises(SupersededError):
        worker.train_slice(store.url, SPEC.digest, fence)
    assert store.runs() == []


def test_an_outdated_run_is_not_continued(store: Store) -> None:
    store.launch(SPEC, "A", OWNER)
    train(store, SPEC)
    with store.engine.begin() as connection:  # as by a version whose digest of the same spec was another
        connection.execute(update(runs).where(runs.c.digest == SPEC.digest).values(spec=OTHER.model_dump_json()))
    before = store.run(SPEC.digest)
    with pytest.raises(worker.OutdatedRunError):
        train(store, SPEC)
    assert store.run(SPEC.digest) == before
    assert not before.is_current
    assert store.launch(before.spec, "A", OWNER).digest == OTHER.digest


def test_a_run_that_the_worker_cannot_read_fails(store: Store) -> None:
    """As where the worker lacks the folder of its dataset."""
    store.launch(SPEC, "A", OWNER)
    with store.engine.begin() as connection:
        connection.execute(update(runs).where(runs.c.digest == SPEC.digest).values(spec='{"dataset": "school"}'))
    with pytest.raises(worker.UnreadableRunError) as caught:
        train(store, SPEC)
    failed = pickle.loads(pickle.dumps(caught.value))
    assert is_a_plain_sentence(Retries().record_error(SPEC.digest, failed)), "no other slice is tried"


def test_a_run_is_not_continued_on_another_number_of_images(store: Store, data_folder: Path) -> None:
    write_dataset(data_folder / "school.npz")
    register_datasets()
    spec = parse_spec({"dataset": "school", "hidden_units": [4], "batch_size": 8, "epochs": 9})
    store.launch(spec, "A", OWNER)
    train(store, spec)
    write_dataset(data_folder / "school.npz", **small_arrays(train=90))
    with pytest.raises(worker.OutdatedRunError) as caught:
        train(store, spec)
    assert is_a_plain_sentence(str(caught.value))


@pytest.mark.parametrize("examples", all_but_one_slow([300, 10], fast=10))
def test_a_slice_repeated_after_the_end_trains_no_further(store: Store, examples: int) -> None:
    spec = SPEC.model_copy(update={"train_examples": examples})
    store.launch(spec, "A", OWNER)
    train_until(store, spec)
    fence = store.next_fence(spec.digest, OWNER)
    for _ in range(2):
        assert worker.train_slice(store.url, spec.digest, fence) is RunState.COMPLETED
    assert_is_undisturbed(store, spec)


def test_a_run_that_diverges_keeps_what_it_recorded(store: Store) -> None:
    spec = RunSpec(activation="linear", hidden_units=(8,), rescale="raw", learning_rate=100, train_examples=64)
    store.launch(spec, "A", OWNER)
    assert train_until(store, spec)[-1] is RunState.DIVERGED
    run, curve = store.run(spec.digest), steps_frame(store, spec.digest)
    assert len(curve) == run.step < spec.total_steps
    assert np.isfinite(curve["loss"][:-1]).all()
    assert not np.isfinite(curve["loss"].iloc[-1])
    assert evaluations_frame(store, [run])["step"].iloc[0] == 0
    assert worker.train_slice(store.url, spec.digest, store.next_fence(spec.digest, OWNER)) is RunState.DIVERGED
    assert store.run(spec.digest).step == run.step


def test_a_missing_dataset_fails_the_slice(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: (_ for _ in ()).throw(OSError("offline")))
    spec = RunSpec(dataset="cifar10")
    store.launch(spec, "A", OWNER)
    with pytest.raises(DatasetError, match="CIFAR-10 is not on this machine"):
        train(store, spec)
    assert store.run(spec.digest).state is RunState.QUEUED


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores whose connections wait for a lock for a short time only."""
    monkeypatch.setattr(worker, "open_worker_store", lambda url: Store(url, 0.05))


@pytest.mark.usefixtures("impatient")
def test_a_slice_waits_for_a_locked_store(store: Store) -> None:
    store.launch(SPEC, "A", OWNER)
    train(store, SPEC)
    fence = store.next_fence(SPEC.digest, OWNER)
    with ThreadPoolExecutor(1) as pool, locked(store):
        training = pool.submit(worker.train_slice, store.url, SPEC.digest, fence)
        with pytest.raises(TimeoutError):
            training.result(timeout=1.5)
    assert training.result() is RunState.RUNNING
    train_until(store, SPEC)
    assert_is_undisturbed(store, SPEC)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("breakage", all_but_one_slow([locked, moved_away, full]))
def test_a_store_error_ends_a_slice_and_nothing_is_lost(
    breakage: Breakage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.3)
    store.launch(SPEC, "A", OWNER)
    fence, before = store.next_fence(SPEC.digest, OWNER), store.run(SPEC.digest)
    opened = Store(store.url, 0.05)
    monkeypatch.setattr(worker, "open_worker_store", lambda _: opened)
    read = worker.read_checkpoint
    with ExitStack() as broken:

        def read_and_break(*arguments: Any) -> object:
            checkpoint = read(*arguments)
            broken.enter_context(breakage(opened))
            return checkpoint

        monkeypatch.setattr(worker, "read_checkpoint", read_and_break)
        with pytest.raises(StoreError) as caught:
            worker.train_slice(store.url, SPEC.digest, fence)
        assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args, "it travels from worker to scheduler"
        assert is_a_plain_sentence(str(caught.value))
    assert store.run(SPEC.digest) == before
    monkeypatch.setattr(worker, "read_checkpoint", read)
    train_until(store, SPEC)
    assert_is_undisturbed(store, SPEC)


def test_a_commit_whose_answer_was_lost_is_not_repeated(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has committed, but the connection broke before it said so, as when PostgreSQL restarts."""
    opened = Store(store.url)
    lost: list[object] = []
    monkeypatch.setattr(worker, "open_worker_store", lambda _: opened)
    commit = opened.engine.dialect.do_commit

    def commit_and_lose(connection: Any) -> None:
        commit(connection)
        if len(lost) < 2:
            lost.append(connection)
            raise sqlite3.OperationalError("the connection was lost")

    monkeypatch.setattr(opened.engine.dialect, "do_commit", commit_and_lose)
    store.launch(SPEC, "A", OWNER)
    train_until(store, SPEC)
    assert len(lost) == 2
    assert_is_undisturbed(store, SPEC)
