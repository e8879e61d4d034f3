"""The code that bnlab prints, executed: it builds the same models as bnlab and trains on the same images."""

import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from bnlab.model.build import build_model
from bnlab.model.datasets import load_arrays
from bnlab.specs.choices import (
    ACTIVATIONS,
    ARCHITECTURES,
    INITIALIZERS,
    OPTIMIZERS,
    PLACEMENTS,
    RESCALINGS,
    VALIDATIONS,
)
from bnlab.specs.datasets import DATASETS
from bnlab.specs.keras_code import keras_code, training_script
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.presets import PRESETS, Variant
from bnlab.specs.run_spec import RunSpec
from tests.pairwise import pairwise_combinations
from tests.slow import all_but_one_slow

UNITS = (6, 4)
SWEEP: list[dict[str, Any]] = [
    *pairwise_combinations(
        {
            "activation": list(ACTIVATIONS),
            "normalizer": list(NORMALIZERS),
            "placement": list(PLACEMENTS),
            "optimizer": list(OPTIMIZERS),
            "architecture": list(ARCHITECTURES),
            "dataset": list(DATASETS),
            "momentum": (0.99, 0.9),
            "epsilon": (1e-3, 1e-5),
            **dict.fromkeys(("input_normalization", "use_bias", "center", "scale"), (False, True)),
        }
    ),
    *({"kernel_initializer": name, "initializer_stddev": 0.7} for name in INITIALIZERS),
]
MNIST = files("bnlab.model") / "data" / "mnist.npz"


def without_seeds(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: without_seeds(value) for key, value in config.items() if key != "seed"}
    return config


def execute(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def assert_same_network(spec: RunSpec) -> keras.Model:
    model, expected = execute(keras_code(spec))["model"], build_model(spec)
    built = [(type(layer), layer.output.shape, without_seeds(layer.get_config())) for layer in model.layers]
    assert built == [(type(layer), layer.output.shape, without_seeds(layer.get_config())) for layer in expected.layers]
    assert model.input_shape == expected.input_shape
    return model


@pytest.mark.parametrize("variant", PRESETS["notebook"].variants, ids=lambda v: v.label)
def test_code_builds_the_notebooks_networks(variant: Variant) -> None:
    assert_same_network(variant.spec)


@pytest.mark.parametrize("changes", all_but_one_slow(SWEEP), ids=str)
def test_code_builds_the_same_model(changes: dict[str, Any]) -> None:
    spec = RunSpec(**{"hidden_units": UNITS, **changes})
    model, entry = assert_same_network(spec), OPTIMIZERS[spec.optimizer]
    optimizer = getattr(keras.optimizers, entry.keras_class)(learning_rate=spec.learning_rate, **entry.config)
    assert {**model.optimizer.get_config(), "name": ""} == {**optimizer.get_config(), "name": ""}
    assert model.loss == "sparse_categorical_crossentropy"


def test_code_of_the_noise_layer() -> None:
    spec = RunSpec(hidden_units=(40,), placement="before_activation", noise=True)
    model, expected = execute(keras_code(spec))["model"], build_model(spec)
    assert [layer.name for layer in model.layers] == [layer.name for layer in expected.layers]
    noise, zeros = model.get_layer("noise_1"), np.zeros((500, 40), np.float32)
    first, second = (noise(zeros, training=True).numpy() for _ in range(2))
    assert 0.5 < np.ptp(first.mean(0)) < 1.01
    assert np.abs(first.mean(0) - second.mean(0)).max() > 0.2
    np.testing.assert_array_equal(noise(zeros, training=False), zeros)
    model.train_on_batch(np.zeros((8, 28, 28), np.float32), np.zeros(8))


@pytest.mark.parametrize(
    ("validation", "rescale", "examples"),
    all_but_one_slow(
        tuple(combination.values())
        for combination in pairwise_combinations(
            {"validation": list(VALIDATIONS), "rescale": list(RESCALINGS), "examples": (700, None)}
        )
    ),
)
def test_images_in_the_script(
    monkeypatch: pytest.MonkeyPatch, validation: str, rescale: str, examples: int | None
) -> None:
    monkeypatch.setattr(keras.datasets.mnist, "load_data", load_mnist)
    spec = RunSpec(validation=validation, rescale=rescale, train_examples=examples)
    names, arrays = execute(training_script(spec).partition("model = ")[0]), load_arrays(spec)
    factor = np.float32(RESCALINGS[rescale].factor)
    for name, images in (("x_train", arrays.train_images), ("x_val", arrays.validation_images)):
        assert names[name].shape == images.shape
        np.testing.assert_allclose(names[name][::50], images[::50] * factor, rtol=1e-6)
    np.testing.assert_array_equal(names["y_train"], arrays.train_labels)
    np.testing.assert_array_equal(names["y_val"], arrays.validation_labels)
    assert names["x_train"].dtype == names["x_val"].dtype == np.float32


def load_mnist() -> Any:
    with MNIST.open("rb") as file, np.load(file) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


# The mnist.npz of bnlab has the same arrays as Keras's, but another hash, so Keras would download its own.
OFFLINE = f"""
import runpy, sys
import keras, numpy
def load_data():
    arrays = numpy.load({str(MNIST)!r})
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
keras.datasets.mnist.load_data = load_data
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's, of NumPy 2
def test_script_trains_prints_and_saves(tmp_path: Path) -> None:
    spec = RunSpec(
        placement="before_activation", hidden_units=(32,), train_examples=2_000, epochs=2, optimizer="adam",
        learning_rate=0.005, validation="holdout",
    )  # fmt: skip
    (tmp_path / "train.py").write_text(training_script(spec))
    command = [sys.executable, "-c", OFFLINE, "train.py", "model.keras"]
    environment = os.environ | {"KERAS_HOME": str(tmp_path)}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    match = re.search(r"^val_loss (\d\.\d{4}), val_accuracy (\d\.\d{4})$", result.stdout, re.MULTILINE)
    assert match, result.stdout
    assert float(match[2]) > 0.8
    arrays, model = load_arrays(spec), keras.models.load_model(tmp_path / "model.keras")
    measured = model.evaluate(arrays.validation_images / np.float32(255), arrays.validation_labels, verbose=0)
    assert measured == pytest.approx([float(match[1]), float(match[2])], abs=1e-4)
