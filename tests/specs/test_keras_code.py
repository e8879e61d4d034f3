"""The text of the generated code; tests/model/test_build_keras_code.py executes it."""

import ast

import pytest
from hypothesis import given

from bnlab.specs.keras_code import evaluation_code, keras_code, scaling_code, training_script
from bnlab.specs.network import describe_network
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from tests.spec_strategies import specs

APPROACH_2 = """\
import keras

model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Flatten(name="flatten"),
        keras.layers.BatchNormalization(name="bn_input"),
        keras.layers.Dense(300, use_bias=False, name="dense_1"),
        keras.layers.BatchNormalization(name="bn_1"),
        keras.layers.Activation("relu", name="activation_1"),
        keras.layers.Dense(100, use_bias=False, name="dense_2"),
        keras.layers.BatchNormalization(name="bn_2"),
        keras.layers.Activation("relu", name="activation_2"),
        keras.layers.Dense(10, activation="softmax", name="output"),
    ]
)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
"""


def test_code_of_the_notebooks_networks() -> None:
    specs = {v.label: v.spec for v in PRESETS["notebook"].variants}
    assert keras_code(specs["Approach 2"]) == APPROACH_2
    assert 'Dense(300, kernel_initializer="he_normal", name="dense_1")' in keras_code(specs["Baseline"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kernel_initializer": "random_normal", "initializer_stddev": 5},
         "=keras.initializers.RandomNormal(stddev=5.0),"),
        ({"optimizer": "nesterov"}, "keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, nesterov=True)"),
        ({"placement": "before_activation", "momentum": 0.9}, 'BatchNormalization(momentum=0.9, name="bn_1")'),
        ({"placement": "after_activation", "normalizer": "batch_renormalization"},
         'BatchNormalization(renorm=True, renorm_clipping={"rmax": 3.0, "rmin": 0.3333333333333333, "dmax": 5.0},'),
        ({"placement": "after_activation", "normalizer": "group_normalization"},
         'GroupNormalization(groups=5, name="gn_2")'),
        ({"dataset": "cifar10"}, "keras.Input((32, 32, 3))"),
        ({"architecture": "conv", "hidden_units": (8,)},
         'keras.layers.Conv2D(8, 3, strides=2, padding="same", name="conv_1")'),
        ({"architecture": "conv"}, 'keras.layers.Reshape((28, 28, 1), name="reshape")'),
    ],
    ids=str,
)  # fmt: skip
def test_arguments_that_differ_from_kerass_defaults(changes: dict[str, object], code: str) -> None:
    assert code in keras_code(RunSpec(**changes))


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, ["x_val, y_val = x_test, y_test", "x_train, y_train = x_train[5000:], y_train[5000:]"]),
        ({"validation": "holdout"}, ["x_val, y_val = x_train[:5000], y_train[:5000]"]),
        ({"train_examples": 300}, ["x_train, y_train = x_train[5000:5300], y_train[5000:5300]"]),
        ({"train_examples": 55_000}, ["x_train, y_train = x_train[5000:], y_train[5000:]"]),
        ({"rescale": "raw"}, ['x_val = x_val.astype("float32")\n']),
        ({"dataset": "cifar10"}, ["= keras.datasets.cifar10.load_data()"]),
        ({"seed": 7, "batch_size": 60, "epochs": 3}, ["set_random_seed(7)", "batch_size=60,", "epochs=3,"]),
    ],
    ids=str,
)
def test_data_in_the_script(changes: dict[str, object], lines: list[str]) -> None:
    script = training_script(RunSpec(**changes))
    assert [line for line in lines if line not in script] == []


def test_scaling_code() -> None:
    assert scaling_code(RunSpec(), "x") == 'x.astype("float32") / 255'
    assert scaling_code(RunSpec(rescale="raw"), "x") == 'x.astype("float32")'


@given(spec=specs())
def test_code_of_any_spec_parses_and_has_its_layers(spec: RunSpec) -> None:
    ast.parse(evaluation_code(spec))
    described = [layer.name for layer in describe_network(spec).layers]
    for code in (keras_code(spec), training_script(spec)):
        calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.keyword) and node.arg == "name"]
        assert [ast.literal_eval(node.value) for node in calls] == described
    assert keras_code(spec).removeprefix("import keras\n\n") in training_script(spec)
