"""`.keras` files, loaded by plain Keras."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from bnlab.model.build import build_model
from bnlab.model.export import trained_model_file
from bnlab.specs.choices import ACTIVATIONS, INITIALIZERS, OPTIMIZERS, PLACEMENTS
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec
from tests.slow import all_but_one_slow

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's

CHANGES: list[dict[str, Any]] = [
    *({"placement": name} for name in PLACEMENTS),
    *({"activation": name} for name in ACTIVATIONS),
    *({"kernel_initializer": name} for name in INITIALIZERS),
    *({"optimizer": name} for name in OPTIMIZERS),
    *({"architecture": "conv", "placement": name} for name in PLACEMENTS),
    *({"placement": "before_activation", "normalizer": name} for name in NORMALIZERS),
    {
        "placement": "after_activation",
        "input_normalization": True,
        "normalizer": "batch_renormalization",
        "center": False,
        "use_bias": False,
    },
]


def random_weights(spec: RunSpec) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(1)
    return {
        f"{layer.name}/{v.name}": generator.uniform(0.1, 1.0, v.shape).astype(np.float32)
        for layer in describe_network(spec).layers
        for v in layer.variables
    }


def load_model(content: bytes, folder: Path) -> keras.Model:
    (folder / "model.keras").write_bytes(content)
    return keras.models.load_model(folder / "model.keras")


@pytest.mark.parametrize("changes", all_but_one_slow(CHANGES, fast=CHANGES[-1]), ids=str)
def test_loaded_weights_and_optimizer(changes: dict[str, Any], tmp_path: Path) -> None:
    spec = RunSpec(**{"hidden_units": (5, 3), "learning_rate": 0.25, **changes})
    weights, entry = random_weights(spec), OPTIMIZERS[spec.optimizer]
    model = load_model(
        trained_model_file(spec, weights | {"adam/mean/dense_1/kernel": np.zeros(1, np.float32)}), tmp_path
    )
    assert [layer.name for layer in model.layers] == [layer.name for layer in build_model(spec).layers]
    for layer in model.layers:
        for variable in layer.weights:
            np.testing.assert_array_equal(variable.numpy(), weights[f"{layer.name}/{variable.name}"])
    assert type(model.optimizer).__name__ == entry.keras_class
    config = model.optimizer.get_config()
    assert {name: config[name] for name in entry.config} == entry.config
    assert config["learning_rate"] == 0.25


def test_loaded_model_predicts_evaluates_and_trains(tmp_path: Path) -> None:
    spec = RunSpec(hidden_units=(5,), placement="before_activation", optimizer="adam")
    weights, images = random_weights(spec), np.random.default_rng(2).random((6, 28, 28), np.float32)
    model = load_model(trained_model_file(spec, weights), tmp_path)
    dense = images.reshape(6, -1) @ weights["dense_1/kernel"] + weights["dense_1/bias"]
    spread = np.sqrt(weights["bn_1/moving_variance"] + spec.epsilon)
    normalized = (dense - weights["bn_1/moving_mean"]) / spread * weights["bn_1/gamma"] + weights["bn_1/beta"]
    logits = np.maximum(normalized, 0) @ weights["output/kernel"] + weights["output/bias"]
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(model(images)), expected, rtol=1e-3, atol=1e-6)
    labels = expected.argmax(axis=1)
    assert model.evaluate(images, labels, verbose=0)[1] == 1.0
    model.fit(images, labels, verbose=0)
    assert (model.get_layer("output").bias.numpy() != weights["output/bias"]).all()


def test_noise_layers_are_left_out(tmp_path: Path) -> None:
    spec = RunSpec(hidden_units=(5,), placement="before_activation", noise=True)
    model = load_model(trained_model_file(spec, random_weights(spec)), tmp_path)
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}
    assert not any("noise" in layer.name for layer in model.layers)


def test_missing_array() -> None:
    spec = RunSpec(hidden_units=(5,))
    weights = random_weights(spec)
    del weights["dense_1/bias"]
    with pytest.raises(KeyError, match="dense_1/bias"):
        trained_model_file(spec, weights)
