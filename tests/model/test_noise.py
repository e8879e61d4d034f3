"""BatchNoise: its distribution, what it depends on, and inference."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.model.noise import BatchNoise, draw_noise
from bnlab.model.training_step import TrainingStep, training_step
from bnlab.specs.run_spec import RunSpec

SHAPE = (4_000, 50)


def draw(seed: int, step: int, index: int = 1) -> tuple[np.ndarray, np.ndarray]:
    scales, means = draw_noise(tf.constant([seed, step]), index, tf.constant(SHAPE))
    return scales.numpy(), means.numpy()


def test_distribution() -> None:
    scales, means = draw(3, 7)
    mean, scale = means.mean(0), scales.mean(0)
    assert (np.abs(mean) < 0.51).all()
    assert np.ptp(mean) > 0.7
    assert ((scale > 0.99) & (scale < 1.26)).all()
    assert np.ptp(scale) > 0.15
    assert (np.abs(means - mean) < 0.11).all()
    np.testing.assert_allclose(means.std(0), 0.1 / 3**0.5, rtol=0.05)
    np.testing.assert_allclose(scales.std(0), 0.1, rtol=0.08)
    pooled = np.stack([draw(3, step)[1].mean(0) for step in range(20)])
    assert pooled.mean() == pytest.approx(0, abs=0.03)
    assert pooled.std() == pytest.approx(1 / 12**0.5, rel=0.1)  # of U(−0.5, 0.5)
    correlations = np.corrcoef(np.concatenate([scales - scale, means - mean], axis=1), rowvar=False)
    assert np.abs(correlations - np.eye(100)).max() < 0.08


@pytest.mark.parametrize("other", [(4, 7, 1), (3, 8, 1), (3, 7, 2)], ids=["seed", "step", "index"])
def test_noise_depends_on_seed_step_and_index(other: tuple[int, int, int]) -> None:
    for first, same, different in zip(draw(3, 7), draw(3, 7), draw(*other), strict=True):
        np.testing.assert_array_equal(first, same)
        assert (first != different).mean() > 0.99


def test_layer_is_active_only_in_a_training_step_with_a_seed() -> None:
    layer, ones = BatchNoise(index=2, name="noise_2"), tf.ones(SHAPE)
    with training_step(RunSpec(), keras.Sequential([layer]), TrainingStep(tf.constant(7), tf.constant(3))):
        noisy, inference = layer(ones * 2, training=True), layer(ones, training=False)
    scales, means = draw(3, 7, index=2)
    np.testing.assert_allclose(noisy.numpy(), 2 * scales + means, rtol=1e-6)
    np.testing.assert_array_equal(inference.numpy(), ones.numpy())
    np.testing.assert_array_equal(layer(ones, training=True).numpy(), ones.numpy())
    with training_step(RunSpec(), keras.Sequential([layer]), TrainingStep(tf.constant(7))):
        np.testing.assert_array_equal(layer(ones, training=True).numpy(), ones.numpy())
    assert BatchNoise.from_config(layer.get_config()).index == 2


def test_configuration_of_version_0_1_is_read() -> None:
    layer = BatchNoise.from_config({"name": "noise_3", "place": 3})
    assert (layer.name, layer.index) == ("noise_3", 3)


def test_noise_by_channel() -> None:
    layer, images = BatchNoise(index=1), tf.zeros((20, 9, 9, 30))
    with training_step(RunSpec(), keras.Sequential([layer]), TrainingStep(tf.constant(0), tf.constant(0))):
        means = layer(images, training=True).numpy()
    assert np.ptp(means.mean((0, 1, 2))) > 0.6
    assert means.std((0, 1, 2)).max() < 0.07


def test_noise_does_not_change_weights_or_predictions() -> None:
    spec = RunSpec(placement="before_activation", hidden_units=(6, 4))
    plain, noisy = build_model(spec), build_model(spec.model_copy(update={"noise": True}))
    images = np.random.default_rng(0).random((5, 28, 28), np.float32)
    np.testing.assert_array_equal(noisy(images).numpy(), plain(images).numpy())
    for plain_weights, noisy_weights in zip(plain.get_weights(), noisy.get_weights(), strict=True):
        np.testing.assert_array_equal(plain_weights, noisy_weights)
