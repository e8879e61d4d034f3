"""BN's forward pass, gradients and moving updates against NumPy in float64 (Ioffe and Szegedy 2015, section 3)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.specs.run_spec import RunSpec
from bnlab.training.program import program_for

SPEC = RunSpec(placement="before_activation", hidden_units=(12,), momentum=0.9, epsilon=0.01, use_bias=False)
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 28, 28)).astype(np.uint8)
LABELS = RNG.integers(0, 10, 20).astype(np.int32)


class NumpyNetwork:
    """Flatten, Dense, BN, ReLU, Dense softmax in float64, forwards and backwards by the chain rule."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = {name: array.astype(np.float64) for name, array in weights.items()}

    def forward(self, images: np.ndarray) -> np.ndarray:
        w = self.weights
        self.x = images.reshape(len(images), -1) / 255
        z = self.x @ w["dense_1/kernel"]
        self.mean, self.variance = z.mean(0), z.var(0)
        self.normalized = (z - self.mean) / np.sqrt(self.variance + SPEC.epsilon)
        self.y = w["bn_1/gamma"] * self.normalized + w["bn_1/beta"]
        self.h = np.maximum(self.y, 0)
        logits = self.h @ w["output/kernel"] + w["output/bias"]
        shifted = np.exp(logits - logits.max(1, keepdims=True))
        self.p = shifted / shifted.sum(1, keepdims=True)
        return self.p

    def loss(self, labels: np.ndarray) -> float:
        return float(-np.log(self.p[np.arange(len(labels)), labels]).mean())

    def gradients(self, labels: np.ndarray) -> dict[str, np.ndarray]:
        n = len(labels)
        d_logits = (self.p - np.eye(10)[labels]) / n
        d_y = (d_logits @ self.weights["output/kernel"].T) * (self.y > 0)
        d_normalized = d_y * self.weights["bn_1/gamma"]
        inner = n * d_normalized - d_normalized.sum(0) - self.normalized * (d_normalized * self.normalized).sum(0)
        d_z = inner / (n * np.sqrt(self.variance + SPEC.epsilon))
        return {
            "dense_1/kernel": self.x.T @ d_z,
            "bn_1/gamma": (d_y * self.normalized).sum(0),
            "bn_1/beta": d_y.sum(0),
            "output/kernel": self.h.T @ d_logits,
            "output/bias": d_logits.sum(0),
        }


@pytest.fixture
def network() -> tuple[keras.Model, NumpyNetwork]:
    model = build_model(SPEC)
    for variable in model.weights:  # initial ones and zeros would hide mistakes
        variable.assign(variable.numpy() + RNG.uniform(0.1, 0.5, variable.shape))
    return model, NumpyNetwork({f"{v.path.split('/')[-2]}/{v.name}": v.numpy() for v in model.weights})


def test_one_step_agrees_with_the_paper(network: tuple[keras.Model, NumpyNetwork]) -> None:
    model, oracle = network
    trainable = [tf.identity(v.value) for v in model.trainable_variables]
    statistics = [tf.identity(v.value) for v in model.non_trainable_variables]
    data = tf.constant(IMAGES), tf.constant(LABELS), tf.constant(1 / 255, tf.float32)
    indices, rate = tf.range(20)[None, :], tf.constant(1.0)
    program = program_for(SPEC)
    results = [
        run(trainable, statistics, [], data, indices, tf.constant(1), tf.constant([0, 0]), rate)
        for run in (program.steps, program.short_step)
    ]

    oracle.forward(IMAGES)
    gradients = oracle.gradients(LABELS)
    for _, weights, moved, _, loss, _ in results:
        assert float(loss[0]) == pytest.approx(oracle.loss(LABELS), rel=1e-5)
        for variable, before, after in zip(model.trainable_variables, trainable, weights, strict=True):
            name = f"{variable.path.split('/')[-2]}/{variable.name}"
            np.testing.assert_allclose((before - after).numpy(), gradients[name], rtol=2e-3, atol=2e-6, err_msg=name)
        expected_mean = 0.9 * oracle.weights["bn_1/moving_mean"] + 0.1 * oracle.mean
        expected_variance = 0.9 * oracle.weights["bn_1/moving_variance"] + 0.1 * oracle.variance  # not Bessel's
        np.testing.assert_allclose(moved[0].numpy(), expected_mean, rtol=1e-5)
        np.testing.assert_allclose(moved[1].numpy(), expected_variance, rtol=1e-4)


def test_inference_uses_the_moving_statistics(network: tuple[keras.Model, NumpyNetwork]) -> None:
    model, oracle = network
    w = oracle.weights
    z = IMAGES.reshape(20, -1) / 255 @ w["dense_1/kernel"]
    y = (z - w["bn_1/moving_mean"]) / np.sqrt(w["bn_1/moving_variance"] + SPEC.epsilon)
    logits = np.maximum(y * w["bn_1/gamma"] + w["bn_1/beta"], 0) @ w["output/kernel"] + w["output/bias"]
    expected = np.exp(logits - logits.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    outputs = model(IMAGES.astype("float32") / 255, training=False).numpy()
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-6)


def test_normalized_values_have_mean_0_and_variance_1(network: tuple[keras.Model, NumpyNetwork]) -> None:
    _, oracle = network
    oracle.forward(IMAGES)
    np.testing.assert_allclose(oracle.normalized.mean(0), 0, atol=1e-10)
    np.testing.assert_allclose(oracle.normalized.var(0), oracle.variance / (oracle.variance + SPEC.epsilon))
