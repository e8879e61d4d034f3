"""The event file, read by TensorBoard itself."""

from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bnlab.runs import tensorboard as event_files
from bnlab.runs.run import Run
from bnlab.runs.store import Store
from bnlab.runs.tensorboard import event_file, event_file_name
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import Snapshot
from tests.stored_runs import OWNER, float32_array, make_evaluation, record_run

SPEC = RunSpec(placement="before_activation", hidden_units=(2,), train_examples=96, epochs=2)
LOSSES = (2.5, 2.0, 1.5, 1.0, 0.5, 0.25)


@pytest.fixture
def run(store: Store) -> Run:
    return record_run(
        store, SPEC, LOSSES, tuple(make_evaluation(step, 1 / (step + 1), step / 10) for step in (0, 3, 6))
    )


def read(store: Store, run: Run, folder: Path) -> EventAccumulator:
    (folder / event_file_name(run)).write_bytes(event_file(store, run))
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    return events


def scalars(events: EventAccumulator, tag: str) -> dict[int, float]:
    return {event.step: event.value for event in events.Scalars(tag)}


def test_tensorboard_reads_every_curve(store: Store, run: Run, tmp_path: Path) -> None:
    events = read(store, run, tmp_path)
    norms = {"gradient_norm/dense_1", "weight_norm/dense_1"}
    assert set(events.Tags()["scalars"]) == {"loss", "accuracy", "val_loss", "val_accuracy"} | norms
    assert scalars(events, "loss") == dict(enumerate(LOSSES, start=1))
    assert scalars(events, "accuracy") == pytest.approx({s: loss / 10 for s, loss in enumerate(LOSSES, start=1)})
    assert scalars(events, "val_accuracy") == pytest.approx({0: 0.0, 3: 0.3, 6: 0.6})
    assert scalars(events, "val_loss") == pytest.approx({0: 1, 3: 0.25, 6: 1 / 7})
    assert scalars(events, "weight_norm/dense_1") == {0: 3.0, 3: 3.0, 6: 3.0}


def test_times_are_those_spent_in_steps(store: Store, run: Run, tmp_path: Path) -> None:
    events = read(store, run, tmp_path)
    times = {event.step: event.wall_time - run.created_at for event in events.Scalars("loss")}
    assert times == pytest.approx({step: step / 10 for step in range(1, 7)}, abs=1e-5)


def test_tensorboard_reads_the_normalizations(store: Store, run: Run, tmp_path: Path) -> None:
    events = read(store, run, tmp_path)
    assert set(events.Tags()["histograms"]) == {"bn_1/gamma", "bn_1/beta"}
    beta = {event.step: event.histogram_value for event in events.Histograms("bn_1/beta")}
    assert {step: (h.num, h.min, h.max, h.sum) for step, h in beta.items()} == {
        0: (2, 0, 0, 0), 3: (2, 0, 3, 3), 6: (2, 0, 6, 6)
    }  # fmt: skip
    assert all(sum(h.bucket) == 2 for h in beta.values())


def test_numbers_that_are_not_finite_break_nothing(store: Store, tmp_path: Path) -> None:
    nan, infinity = float("nan"), float("inf")
    values = {"gamma": float32_array(nan, infinity), "beta": float32_array(nan, 2)}
    last = make_evaluation(2, nan, 0.1, snapshots=(Snapshot("bn_1", values),))
    events = read(store, record_run(store, SPEC, (1, infinity), (last,)), tmp_path)
    assert scalars(events, "loss") == {1: 1, 2: infinity}
    assert np.isnan(scalars(events, "val_loss")[2])
    assert events.Tags()["histograms"] == ["bn_1/beta"]
    assert events.Histograms("bn_1/beta")[0].histogram_value.num == 1


def test_a_run_without_records_has_an_event_file_too(store: Store, tmp_path: Path) -> None:
    events = read(store, store.launch(SPEC, "queued", OWNER), tmp_path)
    assert events.Tags()["scalars"] == events.Tags()["histograms"] == []


def test_long_curves_are_thinned_from_the_first_step_to_the_last(
    store: Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_files, "MAX_STEPS", 3)
    monkeypatch.setattr(event_files, "MAX_HISTOGRAMS", 2)
    events = read(store, run, tmp_path)
    assert scalars(events, "loss") == {1: 2.5, 6: 0.25}
    assert [event.step for event in events.Histograms("bn_1/beta")] == [0, 6]


def test_thinned_curves_keep_their_peaks(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_files, "MAX_STEPS", 20)
    monkeypatch.setattr(event_files, "MAX_HISTOGRAMS", 8)
    spec = SPEC.model_copy(update={"epochs": 100})
    losses = np.full(300, 0.5, np.float32)
    losses[[122, 201]] = [9, 0.125]
    evaluations = [
        make_evaluation(step, 1.0, snapshots=(Snapshot("bn_1", {"gamma": float32_array(1, 7 if step == 123 else 2)}),))
        for step in range(0, 301, 3)
    ]
    events = read(store, record_run(store, spec, tuple(losses.tolist()), tuple(evaluations)), tmp_path)
    found = scalars(events, "loss")
    assert len(found) <= 22
    assert (found[1], found[123], found[202], found[300]) == (0.5, 9, 0.125, 0.5)
    steps = [event.step for event in events.Histograms("bn_1/gamma")]
    assert len(steps) <= 12
    assert {0, 123, 300} <= set(steps)


def test_the_same_records_make_the_same_bytes(store: Store, run: Run) -> None:
    assert event_file(store, run) == event_file(store, run)
