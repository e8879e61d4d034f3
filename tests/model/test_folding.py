"""Folding, compared with NumPy and Keras."""

import itertools
import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest

from bnlab.model.build import build_folded, build_trained
from bnlab.model.datasets import load_arrays
from bnlab.model.folding import FoldedNetwork, FoldError, fold, fold_network, kept_layers, unfoldable_reason
from bnlab.specs.choices import ACTIVATIONS, PLACEMENTS, RESCALINGS
from bnlab.specs.network import Layer, Network, Variable, describe_network
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.trainer import Trainer
from tests import numpy_normalization as oracle
from tests.pairwise import pairwise_combinations
from tests.slow import all_but_one_slow

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's

UNITS = (5, 4)
NORMALIZED = [
    {"placement": placement, "input_normalization": on_input}
    for placement, on_input in itertools.product(PLACEMENTS, (False, True))
    if placement != "none" or on_input
]
FOLDABLE = [name for name, entry in NORMALIZERS.items() if entry.foldable]
SWEEP = pairwise_combinations(
    {
        "where": NORMALIZED,
        "activation": list(ACTIVATIONS),
        "normalizer": FOLDABLE,
        **dict.fromkeys(("use_bias", "center", "scale"), (False, True)),
    }
)
Arrays = dict[str, np.ndarray]


def random_arrays(network: Network, seed: int = 1) -> Arrays:
    """Normally distributed arrays; variances are positive, some tiny, as of pixels that are nearly constant."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, v in ((layer.name, v) for layer in network.layers for v in layer.variables):
        values = rng.normal(size=v.shape) / (np.sqrt(v.shape[0]) if v.name == "kernel" else 1)
        arrays[f"{name}/{v.name}"] = (values**2 * (values > -1) if "variance" in v.name else values).astype("f4")
    return arrays


def activate(layer: Layer, x: np.ndarray) -> np.ndarray:
    if layer.keras_class == "LeakyReLU":
        return np.where(x > 0, x, 0.3 * x)
    return np.asarray(keras.activations.get(layer.config["activation"])(x))


def compute_logits(network: Network, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The network at inference, layer by layer in float64, up to the softmax."""
    for layer in network.layers:
        variables = {v.name: arrays[f"{layer.name}/{v.name}"].astype(np.float64) for v in layer.variables}
        if layer.keras_class == "Dense":
            x = x @ variables["kernel"] + variables.get("bias", 0)
        elif layer.keras_class == "BatchNormalization":
            spread = np.sqrt(variables["moving_variance"] + layer.config["epsilon"])
            normalized = (x - variables["moving_mean"]) / spread
            x = variables.get("gamma", 1) * normalized + variables.get("beta", 0)
        elif layer.keras_class != "Flatten":
            x = activate(layer, x)
    return x


def assert_same_logits(network: Network, arrays: Arrays, folded: FoldedNetwork) -> None:
    x = np.random.default_rng(2).random((6, *network.layers[0].output_shape))
    expected = compute_logits(network, arrays, x)
    logits = compute_logits(folded.network, folded.weights, x)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("fields", SWEEP, ids=str)
def test_folded_network_has_the_same_logits(fields: dict[str, Any]) -> None:
    fields = dict(fields)
    spec = RunSpec(hidden_units=UNITS, **fields.pop("where"), **fields)
    network = describe_network(spec)
    arrays = random_arrays(network)
    folded = fold(spec, arrays)
    assert_same_logits(network, arrays, folded)
    assert not folded.network.normalizations
    described = {f"{layer.name}/{v.name}": v.shape for layer in folded.network.layers for v in layer.variables}
    assert {name: array.shape for name, array in folded.weights.items()} == described
    assert {array.dtype for array in folded.weights.values()} == {np.dtype("float32")}


@pytest.mark.parametrize("name", [name for name in NORMALIZERS if name not in FOLDABLE])
def test_error_of_a_normalizer_that_cannot_be_folded(name: str) -> None:
    spec = RunSpec(hidden_units=UNITS, placement="before_activation", normalizer=name)
    with pytest.raises(FoldError, match=rf"^{NORMALIZERS[name].title} cannot be folded away: [^.]*\.$"):
        fold(spec, random_arrays(describe_network(spec)))


@pytest.mark.parametrize("where", NORMALIZED, ids=str)
@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_folded_network_has_no_normalization(where: dict[str, Any], activation: str) -> None:
    spec = RunSpec(activation=activation, **where)
    plain = spec.model_copy(update={"placement": "none", "input_normalization": False})
    assert fold(spec, random_arrays(describe_network(spec))).network == describe_network(plain)


def test_only_layers_with_folded_normalization_gain_a_bias() -> None:
    def layers_with_bias(**changes: Any) -> list[str]:
        spec = RunSpec(hidden_units=UNITS, use_bias=False, **changes)
        network = fold(spec, random_arrays(describe_network(spec))).network
        dense = [layer for layer in network.layers if layer.keras_class == "Dense"]
        assert all(layer.config.get("use_bias", True) == (len(layer.variables) == 2) for layer in dense)
        return [layer.name for layer in dense if len(layer.variables) == 2]

    assert layers_with_bias(placement="before_activation") == ["dense_1", "dense_2", "output"]
    assert layers_with_bias(placement="after_activation") == ["dense_2", "output"]
    assert layers_with_bias(input_normalization=True) == ["dense_1", "output"]
    assert layers_with_bias(placement="after_activation", activation="linear") == ["dense_1", "dense_2", "output"]


def test_same_arithmetic_as_in_numpy() -> None:
    spec = RunSpec(hidden_units=(4,), placement="before_activation", input_normalization=True)
    arrays = random_arrays(describe_network(spec))

    def normalization(name: str) -> oracle.Normalization:
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        return oracle.Normalization(**{v: arrays[f"{name}/{v}"].astype(float) for v in names}, epsilon=spec.epsilon)

    first = oracle.Dense(arrays["dense_1/kernel"].astype(float), arrays["dense_1/bias"].astype(float))
    first = oracle.fold_into_next(normalization("bn_input"), first)
    first = oracle.fold_into_previous(first, normalization("bn_1"))
    folded = fold(spec, arrays).weights
    np.testing.assert_allclose(folded["dense_1/kernel"], first.kernel, rtol=1e-6)
    np.testing.assert_allclose(folded["dense_1/bias"], first.bias, rtol=1e-6)
    np.testing.assert_array_equal(folded["output/kernel"], arrays["output/kernel"])


def chain(*classes: str) -> Network:
    """A network of layers with three units; the layers "BN" have different epsilons."""
    names = {"BN": ("gamma", "beta", "moving_mean", "moving_variance"), "Dense": ("kernel", "bias")}
    layers = [Layer("flatten", "Flatten", (3,))]
    for index, name in enumerate(classes):
        variables = [Variable(v, (3, 3) if v == "kernel" else (3,), True) for v in names.get(name, ())]
        config = {"epsilon": 0.001 * (index + 1)} if name == "BN" else {"activation": "tanh"}
        normalizer = "batch_normalization" if name == "BN" else ""
        keras_class = "BatchNormalization" if name == "BN" else name
        layers.append(Layer(f"layer_{index}", keras_class, (3,), config, tuple(variables), normalizer))
    return Network((3,), tuple(layers), ())


@pytest.mark.parametrize(
    "classes",
    [
        ("BN", "BN", "Dense"),
        ("BN", "Dense", "BN", "BN", "Dense"),
        ("Dense", "Activation", "BN", "BN", "BN", "Dense", "BN"),
    ],
    ids=str,
)
def test_consecutive_normalizations(classes: tuple[str, ...]) -> None:
    network = chain(*classes)
    arrays = random_arrays(network)
    folded = fold_network(network, arrays)
    assert not folded.network.normalizations
    assert_same_logits(network, arrays, folded)


@pytest.mark.parametrize("classes", [("Activation", "BN"), ("BN", "Activation", "Dense")], ids=str)
def test_error_without_a_dense_layer_next_to_normalization(classes: tuple[str, ...]) -> None:
    network = chain(*classes)
    with pytest.raises(FoldError, match=r"no Dense layer to be folded into\.$"):
        fold_network(network, random_arrays(network))


def test_noise_is_ignored() -> None:
    plain = RunSpec(hidden_units=UNITS, placement="before_activation")
    arrays = random_arrays(describe_network(plain))
    noisy, expected = fold(plain.model_copy(update={"noise": True}), arrays), fold(plain, arrays)
    assert noisy.network == expected.network
    assert all((noisy.weights[name] == array).all() for name, array in expected.weights.items())


def test_input_arrays_are_not_changed() -> None:
    spec = RunSpec(hidden_units=UNITS, placement="before_activation", input_normalization=True)
    arrays = random_arrays(describe_network(spec))
    for array in arrays.values():
        array.flags.writeable = False
    fold(spec, arrays)


@pytest.mark.parametrize(
    "fields",
    all_but_one_slow(
        {**where, "use_bias": use_bias}
        for use_bias in (False, True)
        for where in (
            {"placement": "before_activation", "hidden_units": UNITS},
            {"placement": "after_activation", "hidden_units": (4,)},
            {"placement": "after_activation", "hidden_units": UNITS, "activation": "linear"},
        )
    ),
    ids=str,
)
def test_normalization_after_convolutions(fields: dict[str, Any]) -> None:
    spec = RunSpec(architecture="conv", **fields)
    network = describe_network(spec)
    arrays = random_arrays(network)
    folded = fold(spec, arrays)
    assert not folded.network.normalizations
    images = np.random.default_rng(2).random((6, 28, 28), np.float32)
    models = build_trained(network, spec, arrays), build_trained(folded.network, spec, folded.weights)
    expected, logits = (keras_logits(model, images) for model in models)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    "fields",
    all_but_one_slow(
        {**where, "normalizer": normalizer}
        for normalizer in FOLDABLE
        for where in (
            {"input_normalization": True, "placement": "before_activation"},
            {"input_normalization": True, "placement": "after_activation"},
            {"placement": "after_activation"},
        )
    ),
    ids=str,
)
def test_normalization_before_convolutions_stays_and_the_rest_is_folded(fields: dict[str, Any]) -> None:
    spec = RunSpec(architecture="conv", hidden_units=UNITS, noise=True, **fields)
    network = describe_network(spec.model_copy(update={"noise": False}))
    arrays = random_arrays(network)
    folded = fold(spec, arrays)
    kept = [layer.name for layer in folded.network.normalizations]
    assert kept == list(kept_layers(spec))
    assert 0 < len(kept) < len(network.normalizations)
    assert unfoldable_reason(spec) == ""
    for sentence in kept_layers(spec).values():
        assert re.search(r"^bn_\w+ stays: it stands before conv_[12], which pads its input with zeros: .*\.$", sentence)
    images = np.random.default_rng(2).random((6, 28, 28), np.float32)
    models = build_trained(network, spec, arrays), build_folded(spec, arrays)
    expected, logits = (keras_logits(model, images) for model in models)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_error_if_no_normalization_of_a_convolutional_network_can_be_folded() -> None:
    spec = RunSpec(architecture="conv", hidden_units=UNITS, input_normalization=True)
    assert unfoldable_reason(spec).startswith("bn_input stays: it stands before conv_1, which pads")
    with pytest.raises(FoldError, match=r"stands before conv_1, which pads its input with zeros"):
        fold(spec, random_arrays(describe_network(spec)))


@pytest.mark.parametrize("where", NORMALIZED, ids=str)
def test_no_layer_of_a_dense_network_stays(where: dict[str, Any]) -> None:
    assert not kept_layers(RunSpec(**where))


def keras_logits(model: keras.Sequential, images: np.ndarray) -> np.ndarray:
    last = model.layers[-1]
    last.activation = keras.activations.linear
    return np.asarray(model(images))


@pytest.mark.parametrize(
    ("where", "rescale", "normalizer"),
    all_but_one_slow(zip(NORMALIZED, itertools.cycle(RESCALINGS), itertools.cycle(FOLDABLE), strict=False)),
    ids=str,
)
def test_trained_networks_in_keras(where: dict[str, Any], rescale: str, normalizer: str) -> None:
    """The logits agree in float32 to a relative error of 1e-4, with scaled and with raw pixels."""
    spec = RunSpec(
        hidden_units=(32, 16), train_examples=320, epochs=1, momentum=0.9, rescale=rescale, normalizer=normalizer,
        learning_rate=0.05 if rescale == "unit" else 1e-4, activation="leaky_relu", validation="holdout", **where,
    )  # fmt: skip
    trainer = Trainer(spec)
    while not trainer.finished:
        trainer.advance()
    assert not trainer.diverged
    weights = trainer.checkpoint().arrays
    images = load_arrays(spec).validation_images[:1000] * np.float32(RESCALINGS[rescale].factor)
    original, folded = build_trained(describe_network(spec), spec, weights), build_folded(spec, weights)
    assert folded.count_params() == fold(spec, weights).network.params
    expected, logits = keras_logits(original, images), keras_logits(folded, images)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
