"""Each normalizer's layer in training and inference, compared with its equations in NumPy (float64)."""

import itertools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.model.training_step import TrainingStep, ramp_at, training_step
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZERS, count_groups
from bnlab.specs.run_spec import RunSpec
from tests.slow import all_slow_but

Arrays = dict[str, np.ndarray]
Oracle = Callable[[np.ndarray, Arrays, RunSpec, int], np.ndarray]

EPSILON, MOMENTUM = 0.01, 0.9
STEPS = (0, 1_500, 10_000)
RNG = np.random.default_rng(0)


def batch_axes(x: np.ndarray) -> tuple[int, ...]:
    return tuple(range(x.ndim - 1))


def by_batch(x: np.ndarray, w: Arrays, spec: RunSpec, step: int) -> np.ndarray:
    mean, variance = x.mean(batch_axes(x)), x.var(batch_axes(x))
    return (x - mean) / np.sqrt(variance + spec.epsilon)


def by_corrected_batch(x: np.ndarray, w: Arrays, spec: RunSpec, step: int) -> np.ndarray:
    """Ioffe 2017, algorithm 1, with the limits of docs/normalizers.md."""
    r_max = 1 + 2 * np.clip((step - 500) / 3_500, 0, 1)
    d_max = 5 * np.clip((step - 500) / 2_000, 0, 1)
    mean, deviation = x.mean(batch_axes(x)), np.sqrt(x.var(batch_axes(x)) + spec.epsilon)
    r = np.clip(deviation / w["renorm_stddev"], 1 / r_max, r_max)
    d = np.clip((mean - w["renorm_mean"]) / w["renorm_stddev"], -d_max, d_max)
    return (x - mean) / deviation * r + d


def by_moving_average(x: np.ndarray, w: Arrays, spec: RunSpec, step: int) -> np.ndarray:
    return (x - w["moving_mean"]) / np.sqrt(w["moving_variance"] + spec.epsilon)


def by_layer(x: np.ndarray, w: Arrays, spec: RunSpec, step: int) -> np.ndarray:
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + spec.epsilon)


def by_group(x: np.ndarray, w: Arrays, spec: RunSpec, step: int) -> np.ndarray:
    groups = np.split(x, count_groups(x.shape[-1]), axis=-1)
    axes = tuple(range(1, x.ndim))
    normalized = [
        (group - group.mean(axes, keepdims=True)) / np.sqrt(group.var(axes, keepdims=True) + spec.epsilon)
        for group in groups
    ]
    return np.concatenate(normalized, axis=-1)


def by_root_mean_square(x: np.ndarray, w: Arrays, spec: RunSpec, step: int) -> np.ndarray:
    return np.asarray(x / np.sqrt((x**2).mean(-1, keepdims=True) + spec.epsilon))


ORACLES: dict[str, tuple[Oracle, Oracle]] = {
    "batch_normalization": (by_batch, by_moving_average),
    "batch_renormalization": (by_corrected_batch, by_moving_average),
    "layer_normalization": (by_layer, by_layer),
    "group_normalization": (by_group, by_group),
    "rms_normalization": (by_root_mean_square, by_root_mean_square),
}
"""The equations without gamma and beta, for training and for inference."""

SHAPES: dict[str, dict[str, Any]] = {
    "dense": {"hidden_units": (48,)},
    "conv": {"hidden_units": (48,), "architecture": "conv"},
}


def test_every_normalizer_is_tested() -> None:
    assert list(ORACLES) == list(NORMALIZERS)


def random_layer(spec: RunSpec) -> tuple[keras.Model, keras.Layer, Arrays]:
    """A model, its hidden normalization layer with random variables, and these variables in float64."""
    model = build_model(spec)
    (described,) = describe_network(spec).normalizations
    layer = model.get_layer(described.name)
    for variable in layer.weights:
        variable.assign(RNG.uniform(0.4, 1.4, variable.shape))
    return model, layer, {v.name: v.numpy().astype(np.float64) for v in layer.weights}


def with_offset(normalized: np.ndarray, w: Arrays, name: str) -> np.ndarray:
    roles = {v.role: w[v.name] for v in NORMALIZERS[name].shown_variables if v.name in w}
    return normalized * roles.get("factor", 1.0) + roles.get("offset", 0.0)


@pytest.mark.parametrize(
    ("name", "architecture", "switches"),
    all_slow_but(
        [(name, "dense", {}) for name in ORACLES],
        itertools.product(ORACLES, SHAPES, ({}, {"center": False, "scale": False})),
    ),
    ids=str,
)
def test_outputs(name: str, architecture: str, switches: dict[str, bool]) -> None:
    spec = RunSpec(
        placement="before_activation", normalizer=name, epsilon=EPSILON, momentum=MOMENTUM,
        **SHAPES[architecture], **switches,
    )  # fmt: skip
    model, layer, w = random_layer(spec)
    x = RNG.normal(1.0, 2.0, (6, *layer.output.shape[1:])).astype(np.float32)
    in_training, at_inference = ORACLES[name]
    expected = with_offset(at_inference(x.astype(np.float64), w, spec, 0), w, name)
    np.testing.assert_allclose(layer(x, training=False), expected, rtol=1e-3, atol=1e-4)
    start = [v.numpy() for v in layer.weights]
    for step in STEPS if NORMALIZERS[name].clipping else (0,):
        for variable, value in zip(layer.weights, start, strict=True):
            variable.assign(value)
        with training_step(spec, model, TrainingStep(tf.constant(step))):
            outputs = layer(x, training=True)
        expected = with_offset(in_training(x.astype(np.float64), w, spec, step), w, name)
        np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4, err_msg=str(step))


@pytest.mark.parametrize("name", [name for name, entry in NORMALIZERS.items() if entry.uses_batch_statistics])
def test_updates_of_moving_averages(name: str) -> None:
    spec = RunSpec(
        placement="before_activation", normalizer=name, epsilon=EPSILON, momentum=MOMENTUM, hidden_units=(12,)
    )
    model, layer, w = random_layer(spec)
    layer_weights = {v.name: v for v in layer.weights}
    x = RNG.normal(1.0, 2.0, (6, 12)).astype(np.float32)
    with training_step(spec, model, TrainingStep(tf.constant(0))):
        layer(x, training=True)

    def update_average(variable: str, value: np.ndarray) -> np.ndarray:
        return np.asarray(MOMENTUM * w[variable] + (1 - MOMENTUM) * value)

    deviation = np.sqrt(x.var(0, dtype=np.float64) + EPSILON)
    expected = {"moving_mean": update_average("moving_mean", x.mean(0))}
    if NORMALIZERS[name].clipping:
        expected["renorm_mean"] = update_average("renorm_mean", x.mean(0))
        expected["renorm_stddev"] = update_average("renorm_stddev", deviation)
        expected["moving_variance"] = update_average("moving_stddev", deviation) ** 2 - EPSILON
    else:
        expected["moving_variance"] = update_average("moving_variance", x.var(0))
    for variable, values in expected.items():
        np.testing.assert_allclose(layer_weights[variable].numpy(), values, rtol=1e-4, err_msg=variable)


@pytest.mark.parametrize("name", NORMALIZERS)
def test_initial_values_of_variables(name: str) -> None:
    model = build_model(RunSpec(placement="before_activation", normalizer=name, hidden_units=(3,)))
    layer = model.layers[2]
    initial_values = {v.name: (set(v.numpy()), v.trainable) for v in layer.weights}
    assert initial_values == {v.name: ({v.initial}, v.trainable) for v in NORMALIZERS[name].variables}


@pytest.mark.parametrize("name", NORMALIZERS)
def test_defaults_are_kerass(name: str) -> None:
    entry = NORMALIZERS[name]
    config = getattr(keras.layers, entry.keras_class)().get_config()
    # Keras leaves the arguments of renormalization out of the configuration of a plain layer.
    defaults = {argument: value for argument, value in entry.defaults.items() if argument in config}
    assert {argument: config[argument] for argument in defaults} == defaults


@pytest.mark.parametrize("name", [name for name, entry in NORMALIZERS.items() if entry.clipping])
def test_ramp_at_equals_ramp(name: str) -> None:
    clipping = NORMALIZERS[name].clipping
    assert clipping
    for step in (0, 499, 500, 501, 2_000, 3_999, 4_000, 50_000):
        for ramp in (clipping.r_max, clipping.d_max):
            assert float(ramp_at(ramp, tf.constant(step))) == pytest.approx(ramp.at(step), rel=1e-6)


def test_limits_outside_a_training_step_are_final() -> None:
    spec = RunSpec(placement="before_activation", normalizer="batch_renormalization", hidden_units=(3,))
    model = build_model(spec)
    final_limits = dict(model.get_layer("bn_1").renorm_clipping)
    with training_step(spec, model, TrainingStep(tf.constant(0))):
        assert float(model.get_layer("bn_1").renorm_clipping["rmax"]) == 1
    assert dict(model.get_layer("bn_1").renorm_clipping) == final_limits == {"rmax": 3.0, "rmin": 1 / 3, "dmax": 5.0}
