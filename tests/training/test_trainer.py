"""Training of one run: deterministic, resumable at any step, evaluated at its evaluation steps."""

import itertools
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
import pytest

from bnlab.model.build import build_model
from bnlab.model.dataset_files import register_folder
from bnlab.model.datasets import load_arrays
from bnlab.specs.run_spec import RunSpec
from bnlab.training import trainer as module
from bnlab.training.records import Records
from bnlab.training.schedule import evaluation_steps
from bnlab.training.trainer import Trainer
from tests.dataset_files import small_arrays, write_dataset
from tests.slow import all_but_one_slow
from tests.training.keras_oracle import keras_gradients

SPEC = RunSpec(
    placement="before_activation",
    input_normalization=True,
    hidden_units=(8,),
    train_examples=500,
    epochs=3,
    optimizer="adam",
    use_bias=False,
)


def train_to_the_end(trainer: Trainer, records: Records | None = None) -> Records:
    records = records or Records(0)
    while not trainer.finished:
        records.extend(trainer.advance())
    return records


def bits(records: Records) -> tuple[bytes, ...]:
    """Everything recorded except the seconds, as bytes."""
    evaluations = [
        repr((m.step, m.val_loss, m.val_accuracy, m.layers)).encode()
        + b"".join(s.layer.encode() + b"".join(v.tobytes() for v in s.values.values()) for s in m.snapshots)
        for m in records.evaluations
    ]
    return records.loss.tobytes(), records.accuracy.tobytes(), *evaluations


def state_bits(trainer: Trainer) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in trainer.checkpoint().arrays.items()}


@lru_cache
def trained(spec: RunSpec) -> tuple[Trainer, Records]:
    """A training without interruptions, which tests share; SPEC's tests are marked `xla` to share its program too."""
    trainer = Trainer(spec)
    return trainer, train_to_the_end(trainer)


def all_bits(trainer: Trainer, records: Records) -> tuple[tuple[bytes, ...], dict[str, bytes]]:
    return bits(records), state_bits(trainer)


@pytest.mark.xla
def test_the_same_spec_gives_the_same_bits() -> None:
    again = Trainer(SPEC)
    assert all_bits(again, train_to_the_end(again)) == all_bits(*trained(SPEC))


CONVOLUTIONS = {"architecture": "conv", "hidden_units": (4, 3), "train_examples": 200, "epochs": 2, "noise": True}


@pytest.mark.parametrize(
    ("stop_at", "changes"),
    [
        pytest.param(16, {}, marks=pytest.mark.xla),
        *(pytest.param(stop_at, {}, marks=[pytest.mark.xla, pytest.mark.slow]) for stop_at in (0, 1, 5, 30, 47)),
        *(pytest.param(stop_at, {"noise": True}, marks=pytest.mark.slow) for stop_at in (0, 7, 16)),
        pytest.param(7, CONVOLUTIONS, marks=pytest.mark.slow),
    ],
)
def test_a_checkpoint_at_any_step_changes_no_bit(
    stop_at: int, changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SPEC.model_copy(update=changes)
    expected = all_bits(*trained(spec))
    monkeypatch.setattr(module, "MAX_CHUNK_STEPS", 3)  # other chunks than the uninterrupted training
    interrupted, records = Trainer(spec), Records(0)
    records.extend(interrupted.advance())
    while interrupted.step < stop_at:
        records.extend(interrupted.advance())
    resumed = Trainer(spec, interrupted.checkpoint())
    assert all_bits(resumed, train_to_the_end(resumed, records)) == expected


@pytest.mark.xla
def test_every_step_is_recorded_and_every_evaluation_taken_once() -> None:
    _, records = trained(SPEC)
    assert [m.step for m in records.evaluations] == list(evaluation_steps(SPEC))
    assert len(records.loss) == len(records.accuracy) == SPEC.total_steps == 48
    last = records.evaluations[-1]
    assert [s.layer for s in last.snapshots] == ["bn_input", "bn_1"]
    assert {n: v.shape for n, v in last.snapshots[1].values.items()} == dict.fromkeys(
        ("gamma", "beta", "moving_mean", "moving_variance"), (8,)
    )
    assert [layer.layer for layer in last.layers] == ["dense_1"]


@pytest.mark.xla
def test_step_0_is_the_untrained_network() -> None:
    first = Trainer(SPEC).advance()
    assert first.first_step == len(first.loss) == 0
    evaluation = first.evaluations[0]
    assert evaluation.step == 0
    assert evaluation.seconds == 0
    assert set(evaluation.snapshots[0].values["gamma"]) == {1.0}
    assert set(evaluation.snapshots[0].values["moving_mean"]) == {0.0}


@pytest.mark.xla
def test_validation_agrees_with_keras() -> None:
    trainer, records = trained(SPEC)
    last = records.evaluations[-1]
    model = build_model(SPEC)
    arrays = trainer.checkpoint().arrays
    model.set_weights([arrays[f"{v.path.split('/')[-2]}/{v.name}"] for v in model.weights])
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    data = load_arrays(SPEC)
    loss, accuracy = model.evaluate(
        data.validation_images.astype("float32") / 255, data.validation_labels, batch_size=1000, verbose=0
    )
    assert last.val_loss == pytest.approx(loss, rel=1e-4)
    assert last.val_accuracy == pytest.approx(accuracy, abs=1e-6)


@pytest.mark.xla
def test_layer_records_agree_with_keras_on_the_probe_batch() -> None:
    trainer = Trainer(SPEC)
    record = trainer.advance().evaluations[0].layers[0]
    model, data = build_model(SPEC), load_arrays(SPEC)
    images, labels = data.train_images[:128].astype("float32") / 255, data.train_labels[:128]
    pre_activations = keras.Model(model.inputs[0], model.get_layer("bn_1").output)(images, training=True).numpy()
    assert record.percentiles == pytest.approx(np.percentile(pre_activations, (5, 15, 50, 85, 95)), abs=1e-4)
    kernel = model.get_layer("dense_1").kernel
    assert record.weight_norm == pytest.approx(np.linalg.norm(kernel.numpy()), rel=1e-5)

    def loss_at(shift: np.ndarray) -> float:
        kernel.assign(start + shift)
        outputs = model(images, training=True)
        return float(np.mean(keras.losses.sparse_categorical_crossentropy(labels, outputs)))

    start = kernel.numpy()
    kernel_index = [variable.path for variable in model.trainable_variables].index(kernel.path)
    gradient = keras_gradients(model, images, labels)[kernel_index]
    assert record.gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-4)
    direction = gradient / np.linalg.norm(gradient)
    slope = (loss_at(direction * 0.01) - loss_at(-direction * 0.01)) / 0.02
    assert record.gradient_norm == pytest.approx(slope, rel=0.05)


@pytest.mark.parametrize(("examples", "batch"), all_but_one_slow([(1, 1), (5, 8), (8, 8), (9, 8)], fast=(9, 8)))
def test_the_smallest_datasets_train(examples: int, batch: int) -> None:
    spec = RunSpec(hidden_units=(4,), train_examples=examples, batch_size=batch, epochs=2)
    records = train_to_the_end(Trainer(spec))
    assert len(records.loss) == spec.total_steps == 2 * -(-examples // batch)
    assert [m.step for m in records.evaluations] == list(evaluation_steps(spec))


@pytest.mark.xla
@pytest.mark.parametrize(("step_seconds", "steps"), [(1.0, 1), (1e-6, SPEC.examples // SPEC.batch_size)])
def test_a_resumed_training_knows_how_long_its_steps_take(step_seconds: float, steps: int) -> None:
    """So that a stop request is noticed soon however large the network is."""
    begun = Trainer(SPEC)
    begun.advance_to(SPEC.steps_per_epoch)
    resumed = Trainer(SPEC, replace(begun.checkpoint(), seconds=begun.step * step_seconds))
    assert len(resumed.advance().loss) == steps


@pytest.mark.xla
def test_chunks_take_about_chunk_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_SECONDS", 0.0)
    trainer = Trainer(SPEC)
    trainer.advance()
    lengths = [len(trainer.advance().loss) for _ in itertools.repeat(None, 6)]
    assert lengths[-3:] == [1, 1, 1]


@pytest.mark.parametrize("examples", all_but_one_slow([1, 999, 1_000, 1_001, 2_345], fast=2_345))
def test_validation_images_of_any_number(data_folder: Path, examples: int) -> None:
    """Mean loss and accuracy over all of them, as Keras's `evaluate` finds."""
    write_dataset(data_folder / f"validated_{examples}.npz", **small_arrays(test=examples, train=80))
    register_folder(data_folder)
    spec = RunSpec(dataset=f"validated_{examples}", hidden_units=(4,), placement="before_activation")
    trainer, arrays = Trainer(spec), load_arrays(spec)
    model = build_model(spec)
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    expected = model.evaluate(arrays.validation_images / np.float32(255), arrays.validation_labels, verbose=0)
    np.testing.assert_allclose(trainer.validate(), expected, rtol=1e-5)
