"""Two models compared, against NumPy."""

import keras
import numpy as np
import pytest

from bnlab.model.build import build_model
from bnlab.specs.run_spec import RunSpec
from bnlab.training.diagnostics.model_comparison import compare_models, time_predictions

FACTOR = 1 / 255


def images_and_labels(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 28, 28), np.uint8), rng.integers(0, 10, count, np.int32)


def built(seed: int) -> keras.Sequential:
    return build_model(RunSpec(hidden_units=(6,), seed=seed))


def test_the_largest_difference_of_logits_and_both_accuracies() -> None:
    images, labels = images_and_labels(1_500)  # one batch and a smaller one
    models = built(0), built(1)
    found = compare_models(*models, images, labels, FACTOR)
    logits = []
    for model in models:
        x = images.reshape(len(images), -1) * np.float32(FACTOR)
        kernel, bias, last_kernel, last_bias = model.get_weights()
        logits.append(np.maximum(x @ kernel + bias, 0) @ last_kernel + last_bias)
    difference = np.abs(logits[0] - logits[1]).max()
    assert found.difference == pytest.approx(difference, rel=1e-4)
    assert found.relative == pytest.approx(difference / np.abs(logits[0]).max(), rel=1e-4)
    assert found.accuracies == tuple((own.argmax(1) == labels).mean() for own in logits)
    same = compare_models(models[0], models[0], images, labels, FACTOR)
    assert (same.difference, same.relative) == (0, 0)


def test_a_model_that_says_0_or_nothing() -> None:
    images, labels = images_and_labels(10)
    silent, broken = built(0), built(0)
    silent.set_weights([np.zeros_like(array) for array in silent.get_weights()])
    broken.set_weights([np.full_like(array, np.nan) for array in broken.get_weights()])
    found = compare_models(silent, built(1), images, labels, FACTOR)
    assert found.relative == found.difference > 0
    assert np.isnan(compare_models(broken, built(1), images, labels, FACTOR).difference)


def test_both_are_timed_at_each_batch_size() -> None:
    images, _ = images_and_labels(256)
    for medians in time_predictions(built(0), built(1), images, FACTOR):
        assert list(medians) == [1, 256]
        assert all(0 < seconds < 1 for seconds in medians.values())
