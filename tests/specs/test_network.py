"""Network descriptions: layers, shapes and parameter counts."""

import itertools
import math

import pytest
from hypothesis import given

from bnlab.specs.choices import ACTIVATIONS, PLACEMENTS
from bnlab.specs.network import TRAINING_FIELDS, Network, describe_network, prediction_key
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from tests.spec_strategies import specs

NORMALIZED = RunSpec(placement="before_activation", input_normalization=True)


def keras_classes(network: Network) -> list[str]:
    return [layer.keras_class for layer in network.layers]


@pytest.mark.parametrize(
    ("label", "params", "trainable"),
    [
        ("Baseline", 266_610, 266_610),
        ("Approach 1 (as printed)", 271_346, 268_978),
        ("Approach 1 (as described)", 271_346, 268_978),
        ("Approach 2", 270_946, 268_578),
    ],
)
def test_parameter_counts_of_the_notebooks_networks(label: str, params: int, trainable: int) -> None:
    spec = {v.label: v.spec for v in PRESETS["notebook"].variants}[label]
    network = describe_network(spec)
    assert (network.params, network.trainable) == (params, trainable)
    assert network.non_trainable == params - trainable


def test_layers_of_the_notebooks_networks() -> None:
    layers = {v.label: keras_classes(describe_network(v.spec)) for v in PRESETS["notebook"].variants}
    bn = "BatchNormalization"
    assert layers == {
        "Baseline": ["Flatten", "Dense", "LeakyReLU", "Dense", "LeakyReLU", "Dense"],
        "Approach 1 (as printed)": ["Flatten", bn, "Dense", bn, "Dense", bn, "Dense"],
        "Approach 1 (as described)": ["Flatten", bn, "Dense", "LeakyReLU", bn, "Dense", "LeakyReLU", bn, "Dense"],
        "Approach 2": ["Flatten", bn, "Dense", bn, "Activation", "Dense", bn, "Activation", "Dense"],
    }


def test_multiplications() -> None:
    assert describe_network(NORMALIZED).multiplications == 784 * 300 + 300 * 100 + 100 * 10
    convolutional = describe_network(RunSpec(architecture="conv", hidden_units=(16,)))
    assert convolutional.multiplications == 14 * 14 * (3 * 3 * 16) + 14 * 14 * 16 * 10


def test_variables_of_batch_normalization() -> None:
    normalizations = describe_network(NORMALIZED).normalizations
    assert [(n.name, n.params) for n in normalizations] == [("bn_input", 3_136), ("bn_1", 1_200), ("bn_2", 400)]
    assert all(n.trainable == n.non_trainable == n.params // 2 for n in normalizations)
    assert [(v.name, v.shape, v.trainable) for v in normalizations[1].variables] == [
        ("gamma", (300,), True),
        ("beta", (300,), True),
        ("moving_mean", (300,), False),
        ("moving_variance", (300,), False),
    ]


@pytest.mark.parametrize(
    ("center", "scale", "normalizer", "trainable", "non_trainable"),
    [
        (True, True, "batch_normalization", ["gamma", "beta"], 2),
        (False, True, "batch_normalization", ["gamma"], 2),
        (True, False, "batch_normalization", ["beta"], 2),
        (False, False, "batch_normalization", [], 2),
        (True, True, "batch_renormalization", ["gamma", "beta"], 5),
        (True, True, "layer_normalization", ["gamma", "beta"], 0),
        (False, True, "group_normalization", ["gamma"], 0),
    ],
)
def test_variables_depend_on_center_scale_and_normalizer(
    center: bool, scale: bool, normalizer: str, trainable: list[str], non_trainable: int
) -> None:
    spec = RunSpec(placement="before_activation", center=center, scale=scale, normalizer=normalizer, hidden_units=(7,))
    (layer,) = describe_network(spec).normalizations
    assert [v.name for v in layer.variables if v.trainable] == trainable
    assert layer.non_trainable == 7 * non_trainable


@pytest.mark.parametrize(
    ("placement", "entering"), [("none", "dense_1"), ("before_activation", "bn_1"), ("after_activation", "dense_1")]
)
def test_pre_activation_precedes_the_activation(placement: str, entering: str) -> None:
    network = describe_network(RunSpec(placement=placement, hidden_units=(5, 3)))
    assert network.blocks[0].pre_activation == entering
    names = [layer.name for layer in network.layers]
    assert names[names.index("activation_1") - 1] == entering
    assert [block.dense for block in network.blocks] == ["dense_1", "dense_2"]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_noise_follows_hidden_normalizations(placement: str) -> None:
    plain = RunSpec(placement=placement, input_normalization=True)
    network, noisy = describe_network(plain), describe_network(plain.model_copy(update={"noise": True}))
    names = [layer.name for layer in noisy.layers]
    assert [name for name in names if "noise" not in name] == [layer.name for layer in network.layers]
    assert [names[i - 1] for i, name in enumerate(names) if "noise" in name] == [
        f"bn_{number}" for number in (1, 2) if placement != "none"
    ]
    assert (noisy.trainable, noisy.non_trainable) == (network.trainable, network.non_trainable)
    if placement == "before_activation":
        assert [block.pre_activation for block in noisy.blocks] == ["noise_1", "noise_2"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_only_linear_has_no_activation_layer(activation: str) -> None:
    network = describe_network(RunSpec(activation=activation))
    assert ("activation_1" in [layer.name for layer in network.layers]) == (activation != "linear")


def test_output_layer() -> None:
    output = describe_network(RunSpec(use_bias=False, kernel_initializer="zeros")).layers[-1]
    assert output.config == {"units": 10, "activation": "softmax"}
    assert [v.name for v in output.variables] == ["kernel", "bias"]


def test_input_shape_of_a_dataset() -> None:
    network = describe_network(RunSpec(dataset="cifar10", hidden_units=(4,)))
    assert network.input_shape == (32, 32, 3)
    assert network.layers[1].variables[0].shape == (3_072, 4)


def variables_per_unit(spec: RunSpec) -> tuple[int, int]:
    """The numbers of trainable and other parameters per unit of a normalization layer."""
    present = [v for v in NORMALIZERS[spec.normalizer].variables if not v.field or getattr(spec, v.field)]
    trainable = sum(v.trainable for v in present)
    return trainable, len(present) - trainable


@given(spec=specs(architecture="dense"))
def test_parameter_counts_of_any_dense_network(spec: RunSpec) -> None:
    network = describe_network(spec)
    widths = [math.prod(spec.data.image_shape), *spec.hidden_units, spec.data.classes]
    kernels = sum(a * b for a, b in itertools.pairwise(widths))
    biases = spec.data.classes + (sum(spec.hidden_units) if spec.use_bias else 0)
    normalized = (widths[0] if spec.input_normalization else 0) + (
        sum(spec.hidden_units) if spec.placement != "none" else 0
    )
    trainable, non_trainable = variables_per_unit(spec)
    assert network.trainable == kernels + biases + normalized * trainable
    assert network.non_trainable == normalized * non_trainable


@given(spec=specs(architecture="dense"))
def test_shapes_of_any_dense_network(spec: RunSpec) -> None:
    network = describe_network(spec)
    names = [layer.name for layer in network.layers]
    assert len(set(names)) == len(names)
    assert {name for block in network.blocks for name in (block.dense, block.pre_activation)} <= set(names)
    width = network.layers[0].output_shape[0]
    for layer in network.layers[1:]:
        if layer.keras_class == "Dense":
            assert layer.variables[0].shape == (width, *layer.output_shape)
        else:
            assert layer.output_shape == (width,)
        width = layer.output_shape[0]


def test_layers_of_a_convolutional_network() -> None:
    spec = RunSpec(
        architecture="conv", hidden_units=(16, 32), placement="before_activation", input_normalization=True, noise=True
    )
    network = describe_network(spec)
    assert [(layer.name, layer.keras_class, layer.output_shape, layer.params) for layer in network.layers] == [
        ("reshape", "Reshape", (28, 28, 1), 0),
        ("bn_input", "BatchNormalization", (28, 28, 1), 4),
        ("conv_1", "Conv2D", (14, 14, 16), 3 * 3 * 16 + 16),
        ("bn_1", "BatchNormalization", (14, 14, 16), 4 * 16),
        ("noise_1", "BatchNoise", (14, 14, 16), 0),
        ("activation_1", "Activation", (14, 14, 16), 0),
        ("conv_2", "Conv2D", (7, 7, 32), 3 * 3 * 16 * 32 + 32),
        ("bn_2", "BatchNormalization", (7, 7, 32), 4 * 32),
        ("noise_2", "BatchNoise", (7, 7, 32), 0),
        ("activation_2", "Activation", (7, 7, 32), 0),
        ("flatten", "Flatten", (7 * 7 * 32,), 0),
        ("output", "Dense", (10,), 7 * 7 * 32 * 10 + 10),
    ]
    assert [(block.dense, block.pre_activation) for block in network.blocks] == [
        ("conv_1", "noise_1"),
        ("conv_2", "noise_2"),
    ]


def test_images_with_channels_are_not_reshaped() -> None:
    network = describe_network(RunSpec(architecture="conv", dataset="cifar10", hidden_units=(4,), use_bias=False))
    assert [layer.name for layer in network.layers] == ["conv_1", "activation_1", "flatten", "output"]
    assert network.layers[0].variables[0].shape == (3, 3, 3, 4)


@given(spec=specs(architecture="conv"))
def test_shapes_of_any_convolutional_network(spec: RunSpec) -> None:
    network = describe_network(spec)
    convolutions = [layer for layer in network.layers if layer.keras_class == "Conv2D"]
    channels = [spec.data.image_shape[2] if len(spec.data.image_shape) == 3 else 1, *spec.hidden_units]
    assert [layer.variables[0].shape for layer in convolutions] == [
        (3, 3, inputs, filters) for inputs, filters in itertools.pairwise(channels)
    ]
    sides = [layer.output_shape[0] for layer in convolutions]
    assert all(after == math.ceil(before / 2) for before, after in itertools.pairwise(sides))
    normalized = (channels[0] if spec.input_normalization else 0) + (
        sum(spec.hidden_units) if spec.placement != "none" else 0
    )
    assert sum(layer.params for layer in network.normalizations) == normalized * sum(variables_per_unit(spec))
    assert network.layers[-1].variables[0].shape == (sides[-1] ** 2 * channels[-1], spec.data.classes)


def test_number_of_normalizations_by_placement() -> None:
    counts = {p: len(describe_network(RunSpec(placement=p)).normalizations) for p in PLACEMENTS}
    assert counts == {p: 0 if p == "none" else 2 for p in PLACEMENTS}


PREDICTED = RunSpec(placement="before_activation")


@pytest.mark.parametrize(
    "training",
    [
        {"seed": 7, "learning_rate": 0.5, "batch_size": 8, "epochs": 3, "train_examples": 100, "optimizer": "adam"},
        {"kernel_initializer": "he_normal", "validation": "holdout", "rescale": "raw"},
        {"momentum": 0.5, "noise": True},
        {"dataset": "fashion_mnist"},
    ],
)
def test_training_does_not_change_how_a_network_predicts(training: dict[str, object]) -> None:
    assert prediction_key(PREDICTED.model_copy(update=training)) == prediction_key(PREDICTED)


def test_arguments_of_absent_layers_do_not_change_how_a_network_predicts() -> None:
    assert prediction_key(RunSpec(epsilon=0.5, scale=False)) == prediction_key(RunSpec())


@pytest.mark.parametrize(
    "network",
    [
        {"placement": "none"},
        {"placement": "after_activation"},
        {"input_normalization": True},
        {"use_bias": False},
        {"architecture": "conv", "hidden_units": (8, 8)},
        {"activation": "tanh"},
        {"hidden_units": (100, 300)},
        {"normalizer": "layer_normalization"},
        {"epsilon": 0.5},
        {"center": False},
        {"scale": False},
        {"dataset": "cifar10"},
    ],
)
def test_the_layers_change_how_a_network_predicts(network: dict[str, object]) -> None:
    assert prediction_key(RunSpec(**PREDICTED.model_dump() | network)) != prediction_key(PREDICTED)


def test_every_field_either_trains_or_can_change_the_layers() -> None:
    assert set(RunSpec.model_fields) > TRAINING_FIELDS
    assert set(RunSpec.model_fields) - TRAINING_FIELDS == {
        "placement", "input_normalization", "use_bias", "architecture", "activation", "hidden_units", "normalizer",
        "epsilon", "center", "scale", "dataset",
    }  # fmt: skip
