"""Built Keras models: layers and parameters as described, kernels as from Keras's initializers."""

import re
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import pytest

from bnlab.model.build import build_model
from bnlab.specs.choices import ACTIVATIONS, ARCHITECTURES, INITIALIZERS, PLACEMENTS
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.presets import PRESETS, Variant
from bnlab.specs.run_spec import RunSpec
from tests.pairwise import pairwise_combinations
from tests.slow import all_but_one_slow

UNITS = (6, 4)
SPECS = [
    *(
        RunSpec(hidden_units=UNITS, **fields)
        for fields in pairwise_combinations(
            {
                "activation": list(ACTIVATIONS),
                "normalizer": list(NORMALIZERS),
                "placement": list(PLACEMENTS),
                "architecture": list(ARCHITECTURES),
                "dataset": ("mnist", "cifar10"),
                **dict.fromkeys(("input_normalization", "use_bias", "center", "scale", "noise"), (False, True)),
            }
        )
    ),
    *(RunSpec(hidden_units=UNITS, kernel_initializer=initializer) for initializer in INITIALIZERS),
    RunSpec(hidden_units=(3,) * 6, architecture="conv", activation="linear", use_bias=False),
    RunSpec(hidden_units=(3,) * 50, placement="after_activation"),
]


def changed_fields(spec: RunSpec) -> str:
    return str(spec.model_dump(exclude_defaults=True, exclude={"hidden_units"}))


def variable_properties(variables: Iterable[Any]) -> list[tuple[str, tuple[int, ...], bool]]:
    return [(v.name, v.shape, v.trainable) for v in variables]


def kernels(spec: RunSpec) -> dict[str, np.ndarray]:
    return {layer.name: layer.kernel.numpy() for layer in build_model(spec).layers if hasattr(layer, "kernel")}


@pytest.mark.parametrize("spec", all_but_one_slow(SPECS), ids=changed_fields)
def test_model_matches_its_description(spec: RunSpec) -> None:
    network, model = describe_network(spec), build_model(spec)
    described = [
        (layer.name, layer.keras_class, layer.output_shape, layer.params, variable_properties(layer.variables))
        for layer in network.layers
    ]
    built = [
        (
            layer.name,
            type(layer).__name__,
            layer.output.shape[1:],
            layer.count_params(),
            variable_properties(layer.weights),
        )
        for layer in model.layers
    ]
    assert built == described
    assert model.input_shape == (None, *network.input_shape)
    assert model.count_params() == network.params
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == network.trainable
    assert sum(int(np.prod(v.shape)) for v in model.non_trainable_variables) == network.non_trainable


@pytest.mark.parametrize("variant", PRESETS["notebook"].variants, ids=lambda v: v.label)
def test_summary_of_the_notebooks_networks(variant: Variant) -> None:
    network = describe_network(variant.spec)
    lines: list[str] = []
    build_model(variant.spec).summary(print_fn=lines.append)
    totals = re.findall(r"(Total|Trainable|Non-trainable) params: ([\d,]+)", "\n".join(lines))
    assert {name: int(number.replace(",", "")) for name, number in totals} == {
        "Total": network.params,
        "Trainable": network.trainable,
        "Non-trainable": network.non_trainable,
    }


def test_arguments_of_layers() -> None:
    spec = RunSpec(placement="before_activation", activation="leaky_relu", momentum=0.9, epsilon=0.01)
    model = build_model(spec)
    layer = model.get_layer("bn_1")
    assert (layer.momentum, layer.epsilon, layer.center, layer.scale, layer.renorm) == (0.9, 0.01, True, True, False)
    assert model.get_layer("activation_1").negative_slope == pytest.approx(0.3)
    assert model.get_layer("output").activation is keras.activations.softmax


@pytest.mark.parametrize("name", [name for name, entry in ACTIVATIONS.items() if entry.layer == "Activation"])
def test_activation(name: str) -> None:
    layer = build_model(RunSpec(activation=name, hidden_units=(3,))).get_layer("activation_1")
    assert layer.activation is keras.activations.get(name)


@pytest.mark.parametrize("name", all_but_one_slow(INITIALIZERS))
def test_kernels_are_seeded_by_spec_and_index(name: str) -> None:
    spec = RunSpec(kernel_initializer=name, initializer_stddev=0.7, hidden_units=UNITS, seed=11)
    for index, (layer, kernel) in enumerate(kernels(spec).items()):
        entry = INITIALIZERS["glorot_uniform" if layer == "output" else name]
        arguments = {"stddev": 0.7} if entry.takes_stddev else {}
        if entry.takes_seed:
            arguments["seed"] = int(np.random.SeedSequence([11, index]).generate_state(1)[0] >> 1)
        expected = getattr(keras.initializers, entry.keras_class)(**arguments)(kernel.shape)
        np.testing.assert_array_equal(kernel, np.asarray(expected))


# The standard deviation of a kernel of 784 inputs and 100 units, from the papers' formulas.
STDDEVS = {
    "glorot_uniform": (2 / 884) ** 0.5, "glorot_normal": (2 / 884) ** 0.5, "he_normal": (2 / 784) ** 0.5,
    "he_uniform": (2 / 784) ** 0.5, "lecun_normal": (1 / 784) ** 0.5, "lecun_uniform": (1 / 784) ** 0.5,
    "orthogonal": (1 / 784) ** 0.5, "random_normal": 0.7, "random_uniform": 0.05 / 3**0.5,
    "truncated_normal": 0.05 * 0.8796, "ones": 0.0, "zeros": 0.0,
}  # fmt: skip


@pytest.mark.parametrize("name", all_but_one_slow(INITIALIZERS))
def test_mean_and_stddev_of_kernels(name: str) -> None:
    kernel = kernels(RunSpec(kernel_initializer=name, initializer_stddev=0.7, hidden_units=(100,)))["dense_1"]
    assert kernel.std() == pytest.approx(STDDEVS[name], rel=0.02, abs=1e-7)
    assert kernel.mean() == pytest.approx(float(name == "ones"), abs=0.01)


def test_initial_biases_and_normalization() -> None:
    model = build_model(RunSpec(placement="before_activation", hidden_units=UNITS))
    assert not model.get_layer("dense_1").bias.numpy().any()
    initial_values = {v.name: set(v.numpy()) for v in model.get_layer("bn_1").weights}
    assert initial_values == {"gamma": {1.0}, "beta": {0.0}, "moving_mean": {0.0}, "moving_variance": {1.0}}


@pytest.mark.parametrize(
    "changes",
    all_but_one_slow(
        [
            {"placement": "after_activation", "normalizer": "layer_normalization", "center": False},
            *({"placement": placement} for placement in PLACEMENTS),
            {"input_normalization": True},
            {"activation": "linear"},
            {"use_bias": False},
            {"optimizer": "adam", "learning_rate": 0.5, "batch_size": 7, "train_examples": 10},
        ]
    ),
    ids=str,
)
def test_same_seed_gives_the_same_kernels(changes: dict[str, Any]) -> None:
    default, changed = kernels(RunSpec(hidden_units=UNITS)), kernels(RunSpec(**{"hidden_units": UNITS, **changes}))
    assert default.keys() == changed.keys()
    for name, kernel in default.items():
        np.testing.assert_array_equal(kernel, changed[name], err_msg=name)


def test_deeper_network_has_the_same_first_kernels() -> None:
    shallow, deep = kernels(RunSpec(hidden_units=(6, 4))), kernels(RunSpec(hidden_units=(6, 4, 4)))
    for name in ("dense_1", "dense_2"):
        np.testing.assert_array_equal(shallow[name], deep[name])


def test_another_seed_gives_other_kernels() -> None:
    first, second = (kernels(RunSpec(hidden_units=UNITS, seed=seed)) for seed in (0, 1))
    for name, kernel in first.items():
        assert (kernel != second[name]).all(), name


def test_layers_of_one_shape_have_different_kernels() -> None:
    kernel = kernels(RunSpec(hidden_units=(5, 5, 5)))
    assert (kernel["dense_2"] != kernel["dense_3"]).all()


def test_building_does_not_change_kerass_random_state() -> None:
    keras.utils.set_random_seed(3)
    expected = keras.random.normal((4,)).numpy()
    keras.utils.set_random_seed(3)
    build_model(RunSpec(hidden_units=UNITS))
    np.testing.assert_array_equal(keras.random.normal((4,)).numpy(), expected)
