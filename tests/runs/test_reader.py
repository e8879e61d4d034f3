"""Reading records, against what was written and averages by hand."""

import numpy as np
import pandas as pd
import pytest

from bnlab.runs.reader import (
    evaluated_steps,
    evaluations_frame,
    history_frame,
    layers_frame,
    read_evaluations,
    snapshots_frame,
    steps_frame,
)
from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import LayerRecord, Records
from tests.stored_runs import OWNER, CheckpointStub, float32_array, make_evaluation, open_writer, record_run

# 10 examples in batches of 4, 4 and 2.
SPEC = RunSpec(train_examples=10, batch_size=4, epochs=3)
LOSSES = (6.0, 3.0, 1.0, 5.0, 2.0, 4.0, 9.0)


def record_in_blocks(store: Store, *lengths: int) -> None:
    writer, first = open_writer(store, SPEC), 0
    for length in lengths:
        losses = float32_array(*LOSSES[first : first + length])
        writer.commit(Records(first, losses, losses / 10), CheckpointStub(first + length), RunState.RUNNING)
        first += length


@pytest.mark.parametrize("lengths", [(7,), (3, 4), (1, 1, 5), (2, 2, 2, 1)])
def test_steps_are_numbered_from_1_however_they_were_committed(store: Store, lengths: tuple[int, ...]) -> None:
    record_in_blocks(store, *lengths)
    frame = steps_frame(store, SPEC.digest)
    expected = pd.DataFrame(
        {"step": range(1, 8), "loss": float32_array(*LOSSES), "accuracy": float32_array(*LOSSES) / 10}
    )
    pd.testing.assert_frame_equal(frame, expected)


@pytest.mark.parametrize("after", range(10))
def test_steps_after_a_step(store: Store, after: int) -> None:
    record_in_blocks(store, 3, 4)
    everything = steps_frame(store, SPEC.digest)
    expected = everything[everything["step"] > after].reset_index(drop=True)
    pd.testing.assert_frame_equal(steps_frame(store, SPEC.digest, after), expected)


def test_evaluated_steps_are_those_of_one_run(store: Store) -> None:
    record_run(store, SPEC, LOSSES, (make_evaluation(0), make_evaluation(3), make_evaluation(6)))
    record_run(store, SPEC.model_copy(update={"seed": 1}), LOSSES, (make_evaluation(1),))
    assert evaluated_steps(store, SPEC.digest) == [0, 3, 6]
    assert evaluated_steps(store, "unknown") == []


def test_history_averages_each_epoch_over_its_examples(store: Store) -> None:
    evaluations = (make_evaluation(0), make_evaluation(1), make_evaluation(3, 0.7, 0.8), make_evaluation(6, 0.5, 0.9))
    frame = history_frame(store, record_run(store, SPEC, LOSSES, evaluations))
    assert list(frame.columns) == ["epoch", "step", "loss", "accuracy", "val_loss", "val_accuracy"]
    first, second = (4 * 6 + 4 * 3 + 2 * 1) / 10, (4 * 5 + 4 * 2 + 2 * 4) / 10
    np.testing.assert_allclose(
        frame, [[1, 3, first, first / 10, 0.7, 0.8], [2, 6, second, second / 10, 0.5, 0.9]], rtol=1e-6
    )


def test_an_epoch_that_is_not_finished_is_not_in_the_history(store: Store) -> None:
    run = record_run(store, SPEC, LOSSES[:2], (make_evaluation(0), make_evaluation(1), make_evaluation(2)))
    assert history_frame(store, run).empty


def test_evaluations_of_several_runs(store: Store) -> None:
    other = RunSpec(train_examples=10, batch_size=5, epochs=2)
    runs = [
        record_run(store, SPEC, LOSSES, (make_evaluation(0), make_evaluation(3, 0.7, 0.8))),
        record_run(store, other, (), (make_evaluation(1),)),
    ]
    frame = evaluations_frame(store, runs)
    assert list(frame.columns) == ["run", "step", "epoch", "seconds", "val_loss", "val_accuracy"]
    by_run = {digest: rows.drop(columns="run").to_numpy().tolist() for digest, rows in frame.groupby("run")}
    assert by_run == {
        SPEC.digest: [[0, 0, 0, 1, 0.5], [3, 1, 0.3, 0.7, 0.8]],
        other.digest: [[1, 0.5, 0.1, 1, 0.5]],
    }


def test_evaluations_of_other_runs_are_left_out(store: Store) -> None:
    run = record_run(store, SPEC, (), (make_evaluation(0),))
    record_run(store, RunSpec(), (), (make_evaluation(0),))
    assert set(evaluations_frame(store, [run])["run"]) == {SPEC.digest}


@pytest.mark.parametrize("after", [-1, 0, 1, 3])
def test_evaluations_after_a_step(store: Store, after: int) -> None:
    other = RunSpec(train_examples=10, batch_size=5, epochs=2)
    missing = make_evaluation(3, float("nan"), 0.8)
    runs = [
        record_run(store, SPEC, LOSSES, (make_evaluation(0), missing)),
        record_run(store, other, (), (make_evaluation(1),)),
    ]
    every = evaluations_frame(store, runs)
    news = read_evaluations(store, runs, after)
    assert list(news) == [run.digest for run in runs]
    for digest, columns in news.items():
        by_run = every[(every["run"] == digest) & (every["step"] > after)].drop(columns="run").reset_index(drop=True)
        pd.testing.assert_frame_equal(pd.DataFrame(columns)[list(by_run)], by_run)


def test_layers_and_snapshots_are_what_was_measured(store: Store) -> None:
    record_run(store, SPEC, (), (make_evaluation(0), make_evaluation(3)))
    layers = pd.DataFrame(
        [(step, "dense_1", 0.25, 3.0, -2.0, -1.0, 0.0, 1.0, 2.0) for step in (0, 3)],
        columns=["step", "layer", "gradient_norm", "weight_norm", "p5", "p15", "p50", "p85", "p95"],
    )
    pd.testing.assert_frame_equal(layers_frame(store, SPEC.digest), layers)
    snapshots = snapshots_frame(store, SPEC.digest, "bn_1")
    assert [(s["step"], s["variable"], s["values"].tolist()) for s in snapshots.to_dict("records")] == [
        (0, "beta", [0, 0]), (0, "gamma", [1, 1]), (3, "beta", [0, 3]), (3, "gamma", [1, 1]),
    ]  # fmt: skip
    assert snapshots_frame(store, SPEC.digest, "bn_2").empty


def test_nothing_recorded_gives_empty_frames_of_the_same_columns(store: Store) -> None:
    waiting = store.launch(SPEC, "A", OWNER)
    trained = record_run(
        store, RunSpec(train_examples=4, batch_size=4), (1.0, 1.0), (make_evaluation(0), make_evaluation(1))
    )
    for frame in (
        lambda run: steps_frame(store, run.digest),
        lambda run: evaluations_frame(store, [run]),
        lambda run: history_frame(store, run),
        lambda run: layers_frame(store, run.digest),
        lambda run: snapshots_frame(store, run.digest, "bn_1"),
    ):
        assert len(frame(trained))
        assert frame(waiting).empty
        assert list(frame(waiting).columns) == list(frame(trained).columns)


def test_empty_columns_are_numeric(store: Store) -> None:
    waiting = store.launch(SPEC, "A", OWNER)
    for frame in (
        steps_frame(store, waiting.digest),
        evaluations_frame(store, [waiting]),
        evaluations_frame(store, []),
    ):
        numbers = frame.drop(columns="run", errors="ignore")
        assert all(pd.api.types.is_numeric_dtype(numbers[column]) for column in numbers)


def test_values_that_are_not_finite_are_read(store: Store) -> None:
    layer = LayerRecord("dense_1", float("nan"), float("inf"), (float("nan"),) * 5)
    run = record_run(store, SPEC, (float("inf"),), (make_evaluation(0, val_loss=float("nan"), layers=(layer,)),))
    frame = layers_frame(store, run.digest)
    assert pd.api.types.is_float_dtype(frame["gradient_norm"])
    assert np.isnan(frame["gradient_norm"][0])
    assert frame["weight_norm"][0] == np.inf
    assert evaluations_frame(store, [run])["val_loss"].isna().all()
