"""Comparison of two models against NumPy."""

import keras
import numpy as np
import pytest

from bnlab.model.build import build_model
from bnlab.specs.run_spec import RunSpec
from bnlab.training.diagnostics.model_comparison import compare_models

FACTOR = 1 / 255


def images_and_labels(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 28, 28), np.uint8), rng.integers(0, 10, count, np.int32)


def build(seed: int) -> keras.Sequential:
    return build_model(RunSpec(hidden_units=(6,), seed=seed))


def test_the_largest_difference_of_logits_and_both_accuracies() -> None:
    images, labels = images_and_labels(1_500)  # one batch and a smaller one
    models = build(0), build(1)
    comparison = compare_models(*models, images, labels, FACTOR)
    logits = []
    for model in models:
        x = images.reshape(len(images), -1) * np.float32(FACTOR)
        kernel, bias, last_kernel, last_bias = model.get_weights()
        logits.append(np.maximum(x @ kernel + bias, 0) @ last_kernel + last_bias)
    difference = np.abs(logits[0] - logits[1]).max()
    assert comparison.difference == pytest.approx(difference, rel=1e-4)
    assert comparison.relative == pytest.approx(difference / np.abs(logits[0]).max(), rel=1e-4)
    assert comparison.accuracies == tuple((model_logits.argmax(1) == labels).mean() for model_logits in logits)
    same = compare_models(models[0], models[0], images, labels, FACTOR)
    assert (same.difference, same.relative) == (0, 0)


def test_logits_that_are_zero_or_nan() -> None:
    images, labels = images_and_labels(10)
    zero, broken = build(0), build(0)
    zero.set_weights([np.zeros_like(array) for array in zero.get_weights()])
    broken.set_weights([np.full_like(array, np.nan) for array in broken.get_weights()])
    comparison = compare_models(zero, build(1), images, labels, FACTOR)
    assert comparison.relative == comparison.difference > 0
    assert np.isnan(compare_models(broken, build(1), images, labels, FACTOR).difference)
