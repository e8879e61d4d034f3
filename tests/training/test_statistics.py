"""Evaluations of the same weights in three ways, beside plain Keras and NumPy."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from bnlab.model.build import build_model
from bnlab.model.dataset_files import register_folder
from bnlab.model.datasets import load_arrays
from bnlab.specs.choices import EVALUATED_IMAGES, STATISTICS
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.records import STATISTICS_COLUMNS, Evaluation, Records, evaluation_columns
from bnlab.training.trainer import Trainer
from tests.dataset_files import small_arrays, write_dataset
from tests.slow import all_but_one_slow

SPEC = RunSpec(
    placement="before_activation",
    input_normalization=True,
    hidden_units=(6, 5),
    train_examples=70,
    batch_size=16,  # five batches, the last one of 6 images
    epochs=2,
    learning_rate=0.1,
    evaluate_with="all",
)


@pytest.fixture
def small_images(data_folder: Path) -> str:
    """A dataset with 80 training and 45 validation images."""
    write_dataset(data_folder / "small.npz", **small_arrays(train=80, test=45))
    register_folder(data_folder)
    return "small"


@lru_cache
def trained(spec: RunSpec) -> tuple[Trainer, Records]:
    """A training without interruptions, which tests share."""
    trainer, records = Trainer(spec), Records(0)
    while not trainer.finished:
        records.extend(trainer.advance())
    return trainer, records


def all_columns(evaluation: Evaluation) -> dict[str, float]:
    return {"val_loss": evaluation.val_loss, "val_accuracy": evaluation.val_accuracy, **evaluation.by_statistics}


def images_of(spec: RunSpec) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scaled images and labels, in the order in which they are evaluated."""
    arrays = load_arrays(spec)
    training = np.random.default_rng(0).permutation(spec.examples)
    validation = np.random.default_rng(0).permutation(len(arrays.validation_labels))
    return {
        "training": (arrays.train_images[training] / np.float32(255), arrays.train_labels[training]),
        "validation": (arrays.validation_images[validation] / np.float32(255), arrays.validation_labels[validation]),
    }


def keras_model(trainer: Trainer) -> keras.Sequential:
    model = build_model(trainer.spec)
    arrays = trainer.checkpoint().arrays
    for variable in model.weights:
        variable.assign(arrays[f"{variable.path.split('/')[-2]}/{variable.name}"])
    return model


def measure(outputs: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Mean cross-entropy and accuracy."""
    own = outputs[np.arange(len(labels)), labels].astype(float)
    return float(-np.log(own).mean()), float((outputs.argmax(-1) == labels).mean())


def batches(images: np.ndarray, size: int) -> list[np.ndarray]:
    return [images[start : start + size] for start in range(0, len(images), size)]


def in_training_mode(model: keras.Sequential, images: np.ndarray, size: int) -> np.ndarray:
    """The outputs of `training=True`, batch by batch, which leaves the model as it was."""
    before = model.get_weights()
    outputs = np.concatenate([model(batch, training=True).numpy() for batch in batches(images, size)])
    model.set_weights(before)
    return outputs


def pooled_moments(model: keras.Sequential, images: np.ndarray, size: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each normalization layer Σ n μ / Σ n and Σ n (σ² + μ²) / Σ n − μ², in double precision."""
    names = [layer.name for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    inputs = keras.Model(model.inputs[0], [model.get_layer(name).input for name in names])
    values = [[v.numpy().astype(float) for v in inputs(batch, training=True)] for batch in batches(images, size)]
    moments = {}
    for index, name in enumerate(names):
        axes = tuple(range(values[0][index].ndim - 1))
        counts = np.array([len(batch[index]) for batch in values], float)[:, None]
        means = np.array([batch[index].mean(axes) for batch in values])
        variances = np.array([batch[index].var(axes) for batch in values])
        mean = (counts * means).sum(0) / counts.sum()
        moments[name] = mean, (counts * (variances + means**2)).sum(0) / counts.sum() - mean**2
    return moments


CASES: list[dict[str, Any]] = [
    {},
    {"architecture": "conv", "placement": "after_activation", "batch_size": 70},
]


@pytest.mark.parametrize("changes", all_but_one_slow(CASES), ids=["dense", "conv"])
def test_each_way_agrees_with_keras(small_images: str, changes: dict[str, Any]) -> None:
    spec = RunSpec(**SPEC.model_dump() | {"dataset": small_images} | changes)
    trainer, records = trained(spec)
    last, model = records.evaluations[-1], keras_model(trainer)
    data, measured = images_of(spec), all_columns(last)

    for images, (values, labels) in data.items():
        inference = measure(model(values, training=False).numpy(), labels)
        batch = measure(in_training_mode(model, values, spec.batch_size), labels)
        for way, expected in (("moving", inference), ("batch", batch)):
            found = [measured[name] for name in evaluation_columns(images, way)]
            np.testing.assert_allclose(found, expected, rtol=1e-4, err_msg=f"{images} {way}")
            assert inference != pytest.approx(batch, rel=1e-3), "the ways must differ for this to test anything"

    moments = pooled_moments(model, data["training"][0], spec.batch_size)
    for snapshot in last.snapshots:
        for name, expected_moment in zip(("mean", "variance"), moments[snapshot.layer], strict=True):
            found_moment = snapshot.values[f"reestimated_{name}"]
            np.testing.assert_allclose(found_moment, expected_moment, rtol=1e-4, atol=1e-6)
    for layer, (mean, variance) in moments.items():
        model.get_layer(layer).moving_mean.assign(mean)
        model.get_layer(layer).moving_variance.assign(variance)
    for images, (values, labels) in data.items():
        reestimated = measure(model(values, training=False).numpy(), labels)
        found = [measured[name] for name in evaluation_columns(images, "reestimated")]
        np.testing.assert_allclose(found, reestimated, rtol=1e-4, err_msg=images)


@pytest.mark.parametrize("noise", all_but_one_slow([False, True]))
def test_evaluating_in_three_ways_changes_no_bit_of_the_training(small_images: str, noise: bool) -> None:
    spec = RunSpec(**SPEC.model_dump() | {"dataset": small_images, "noise": noise})
    compared, records = trained(spec)
    plain, plain_records = trained(RunSpec(**spec.model_dump() | {"evaluate_with": "moving"}))
    for name, array in plain.checkpoint().arrays.items():
        assert array.tobytes() == compared.checkpoint().arrays[name].tobytes(), name
    assert plain_records.loss.tobytes() == records.loss.tobytes()
    for plain_evaluation, evaluation in zip(plain_records.evaluations, records.evaluations, strict=True):
        assert plain_evaluation.by_statistics == {}
        assert (plain_evaluation.val_loss, plain_evaluation.layers) == (evaluation.val_loss, evaluation.layers)
        assert evaluation.by_statistics.keys() == set(STATISTICS_COLUMNS)


def test_a_resumed_training_has_the_same_evaluations(small_images: str) -> None:
    spec = RunSpec(**SPEC.model_dump() | {"dataset": small_images})
    _, expected = trained(spec)
    interrupted, records = Trainer(spec), Records(0)
    while interrupted.step < 3:
        records.extend(interrupted.advance())
    resumed = Trainer(spec, interrupted.checkpoint())
    while not resumed.finished:
        records.extend(resumed.advance())
    assert len(records.evaluations) == len(expected.evaluations)
    for found, wanted in zip(records.evaluations, expected.evaluations, strict=True):
        assert found.by_statistics == wanted.by_statistics
        for ours, theirs in zip(found.snapshots, wanted.snapshots, strict=True):
            assert {n: v.tobytes() for n, v in ours.values.items()} == {
                n: v.tobytes() for n, v in theirs.values.items()
            }


@pytest.mark.parametrize("changes", all_but_one_slow([{"placement": "none"}, {"normalizer": "layer_normalization"}]))
def test_without_batch_statistics_all_ways_are_one(small_images: str, changes: dict[str, Any]) -> None:
    fields = {"dataset": small_images, "input_normalization": False, "epochs": 1} | changes
    evaluation = Trainer(RunSpec(**SPEC.model_dump() | fields)).advance().evaluations[0]
    measured = all_columns(evaluation)
    for images in EVALUATED_IMAGES:
        assert len({tuple(measured[name] for name in evaluation_columns(images, way)) for way in STATISTICS}) == 1
    assert all("reestimated_mean" not in snapshot.values for snapshot in evaluation.snapshots)


@pytest.mark.slow
@pytest.mark.parametrize("normalizer", ["batch_renormalization"])
def test_other_normalizers_with_batch_statistics_are_evaluated_too(small_images: str, normalizer: str) -> None:
    changes = {"normalizer": normalizer, "input_normalization": False, "hidden_units": (5,), "epochs": 1}
    spec = RunSpec(**SPEC.model_dump() | {"dataset": small_images} | changes)
    trainer, records = trained(spec)
    last, model = records.evaluations[-1], keras_model(trainer)
    values, labels = images_of(spec)["training"]
    for layer in describe_network(spec).normalizations:
        for moving, snapshot in zip(("mean", "variance"), ("reestimated_mean", "reestimated_variance"), strict=True):
            values_of_layer = next(s for s in last.snapshots if s.layer == layer.name).values[snapshot]
            getattr(model.get_layer(layer.name), f"moving_{moving}").assign(values_of_layer)
    expected = measure(model(values, training=False).numpy(), labels)
    found = [last.by_statistics[name] for name in evaluation_columns("training", "reestimated")]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.slow
def test_few_images_are_learned_in_training_mode_before_inference_shows_it() -> None:
    """128 images in one batch: after 40 steps the moving statistics still hold 0.99^40 = 67 % of their initial values.

    The batch's own statistics are those of all images, so re-estimated ones are the same.
    """
    spec = RunSpec(
        placement="before_activation",
        input_normalization=True,
        kernel_initializer="he_normal",
        hidden_units=(100, 50),
        train_examples=128,
        batch_size=128,
        epochs=40,
        learning_rate=0.1,
        evaluate_with="all",
    )
    trainer = Trainer(spec)
    trainer.advance_to(spec.total_steps - 1)
    last = trainer.advance().evaluations[0].by_statistics
    assert last["train_accuracy_batch"] == last["train_accuracy_reestimated"] == 1.0
    assert last["train_loss_batch"] == pytest.approx(last["train_loss_reestimated"], rel=1e-3)
    assert last["train_accuracy_moving"] < 0.95
    assert last["train_loss_moving"] > 5 * last["train_loss_batch"]
