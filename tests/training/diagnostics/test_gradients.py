"""Layer statistics against plain Keras and NumPy."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from bnlab.model.datasets import load_arrays
from bnlab.specs.choices import ACTIVATIONS, PLACEMENTS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.diagnostics.gradients import (
    DEAD_UNIT_ACTIVATIONS,
    SATURATED,
    layer_statistics,
    layer_statistics_at_steps,
)
from bnlab.training.trainer import trained_states
from tests.slow import all_but_one_slow
from tests.training.keras_oracle import keras_gradients, train_with_keras

SMALL = {"hidden_units": (24, 16), "train_examples": 500, "epochs": 1, "learning_rate": 0.1, "use_bias": False}


def keras_statistics(spec: RunSpec, model: keras.Model) -> list[tuple[float, ...]]:
    arrays = load_arrays(spec)
    images, labels = arrays.train_images[:128].astype("float32") / np.float32(255), arrays.train_labels[:128]
    gradients = keras_gradients(model, images, labels)
    names = [variable.path.split("/")[-2] + "/" + variable.name for variable in model.trainable_variables]
    rows: list[tuple[float, ...]] = []
    for number in (1, 2):
        pre_activation = f"bn_{number}" if spec.placement == "before_activation" else f"dense_{number}"
        z = keras.Model(model.inputs[0], model.get_layer(pre_activation).output)(images, training=True).numpy()
        y = np.asarray(keras.activations.get(spec.activation)(z))
        dead = (z <= 0).all(axis=0).mean() if spec.activation == "relu" else 0
        low = {"sigmoid": 0.01, "tanh": -0.99}.get(spec.activation, -np.inf)
        saturated = ((y < low) | (y > (0.99 if np.isfinite(low) else np.inf))).mean()
        norm = np.linalg.norm(gradients[names.index(f"dense_{number}/kernel")])
        rows.append((float(norm), float(y.var()), float(dead), float(saturated)))
    return rows


@pytest.mark.parametrize(
    ("activation", "placement"),
    all_but_one_slow([("tanh", "before_activation"), ("relu", "none"), ("sigmoid", "after_activation")]),
)
def test_agrees_with_keras_at_initialization_and_after_20_steps(activation: str, placement: str) -> None:
    spec = RunSpec(
        **SMALL, activation=activation, placement=placement, kernel_initializer="random_normal", initializer_stddev=0.5
    )
    statistics = dict(layer_statistics_at_steps(spec, [20, 0, 20]))
    assert list(statistics) == [0, 20]
    for step, layers in statistics.items():
        assert [layer.layer for layer in layers] == ["dense_1", "dense_2"]
        for layer, row in zip(layers, keras_statistics(spec, train_with_keras(spec, step)), strict=True):
            actual = (layer.gradient_norm, layer.activation_variance, layer.dead, layer.saturated)
            assert actual == pytest.approx(row, rel=5e-3, abs=2e-3), (step, layer.layer)


@pytest.mark.parametrize(
    ("placement", "activation"),
    all_but_one_slow(itertools.product(PLACEMENTS, ACTIVATIONS), fast=("after_activation", "relu")),
)
def test_every_placement_and_activation(placement: str, activation: str) -> None:
    spec = RunSpec(hidden_units=(6, 5), placement=placement, activation=activation, noise=True, train_examples=40)
    ((_, layers),) = layer_statistics_at_steps(spec, [0])
    assert len(layers) == 2
    for layer in layers:
        assert layer.gradient_norm > 0
        assert layer.activation_variance > 0
        assert layer.dead == 0 or activation in DEAD_UNIT_ACTIVATIONS
        assert layer.saturated == 0 or activation in SATURATED


@pytest.mark.parametrize("placement", all_but_one_slow(PLACEMENTS, fast="before_activation"))
def test_convolutions(placement: str) -> None:
    spec = RunSpec(architecture="conv", hidden_units=(4, 3), placement=placement, noise=True, train_examples=40)
    ((_, layers),) = layer_statistics_at_steps(spec, [1])
    assert [layer.layer for layer in layers] == ["conv_1", "conv_2"]
    assert all(layer.gradient_norm > 0 and layer.activation_variance > 0 for layer in layers)


def test_dead_units_are_counted() -> None:
    spec = RunSpec(hidden_units=(8,), train_examples=128)
    ((_, state),) = trained_states(spec, [0])
    kernel = state.trainable[0].numpy()
    kernel[:, :3] = -1  # below zero for every image
    state.trainable[0] = tf.constant(kernel)
    images = load_arrays(spec).train_images[:128] / np.float32(255)
    (layer,) = layer_statistics(spec, state, 0, (images, load_arrays(spec).train_labels[:128]))
    assert layer.dead == pytest.approx(3 / 8)


def test_a_diverged_network_has_nan_statistics() -> None:
    spec = RunSpec(hidden_units=(8,), train_examples=100, learning_rate=100, activation="linear", rescale="raw")
    (_, first), (_, last) = layer_statistics_at_steps(spec, [0, 60])
    assert np.isfinite(first[0].gradient_norm)
    assert np.isnan([last[0].gradient_norm, last[0].activation_variance, last[0].dead, last[0].saturated]).all()


def test_a_negative_step_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0, but -1 was given"):
        list(layer_statistics_at_steps(RunSpec(), [3, -1]))
