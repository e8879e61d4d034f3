"""Plain Keras code that builds and trains the network of a spec without bnlab."""

import json
from typing import Any

from bnlab.specs.choices import INITIALIZERS, OPTIMIZERS, RESCALINGS
from bnlab.specs.datasets import PUBLISHED
from bnlab.specs.network import Layer, describe_network
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import RunSpec

_POSITIONAL_ARGUMENTS = {
    "Dense": ("units",),
    "Conv2D": ("filters", "kernel_size"),
    "Reshape": ("target_shape",),
    "Activation": ("activation",),
}
_KERAS_DEFAULTS: dict[str, dict[str, Any]] = {
    "Dense": {"use_bias": True, "kernel_initializer": "glorot_uniform"},
    "Conv2D": {"use_bias": True, "kernel_initializer": "glorot_uniform"},
    "LeakyReLU": {"negative_slope": 0.3},
}
"""Arguments left out of the code. A test compares the model that the code builds with bnlab's."""

_BATCH_NOISE_CODE = """
class BatchNoise(keras.layers.Layer):
    \"\"\"Gives every unit another mean and another spread at each step of training.\"\"\"

    def __init__(self, index, **kwargs):
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator(index)

    def call(self, x, training=False):
        if not training:
            return x
        units, shape = x.shape[-1:], keras.ops.shape(x)
        mean = keras.random.uniform(units, -0.5, 0.5, seed=self.seeds)
        scale = keras.random.uniform(units, 1.0, 1.25, seed=self.seeds)
        means = keras.random.uniform(shape, -0.1, 0.1, seed=self.seeds) + mean
        scales = keras.random.normal(shape, stddev=0.1, seed=self.seeds) + scale
        return x * scales + means


"""
"""The layer of `bnlab.model.noise`, with the same distribution but other random numbers."""


def keras_code(spec: RunSpec) -> str:
    """Code that builds the spec's network as `model` and compiles it."""
    return f"import keras\n\n{_model_code(spec)}"


def training_script(spec: RunSpec) -> str:
    """A complete script that trains the spec's network on the same images with Keras's `fit`."""
    return f'''"""Trains the network of bnlab's run {spec.digest} with plain Keras.

Needs: pip install keras tensorflow
Use: python train.py [model.keras]    (the trained model is saved where you say)

The initial weights and the order of the examples are drawn in another way than in bnlab, so the numbers come out
close to the run's, but not the same.
"""

import sys

import keras{_numpy_import(spec)}

keras.utils.set_random_seed({spec.seed})

{_data_code(spec)}
{_model_code(spec)}
model.fit(
    x_train,
    y_train,
    batch_size={spec.batch_size},
    epochs={spec.epochs},
    validation_data=(x_val, y_val),
)
val_loss, val_accuracy = model.evaluate(x_val, y_val, verbose=0)
print(f"val_loss {{val_loss:.4f}}, val_accuracy {{val_accuracy:.4f}}")
if len(sys.argv) > 1:
    model.save(sys.argv[1])
'''


def evaluation_code(spec: RunSpec) -> str:
    """Code that loads the run's `model.keras` and evaluates it on the spec's validation images."""
    holdout = spec.data.holdout
    data = f"_, (x_val, y_val) = {_load_code(spec)}"
    if spec.validation == "holdout":
        data = f"(x_val, y_val), _ = {_load_code(spec)}\nx_val, y_val = x_val[:{holdout}], y_val[:{holdout}]"
    return f"""import keras{_numpy_import(spec)}

model = keras.models.load_model("model.keras")
{data}
val_loss, val_accuracy = model.evaluate({scaling_code(spec, "x_val")}, y_val)
"""


def scaling_code(spec: RunSpec, images: str) -> str:
    """An expression for the network's input, given the name of a uint8 array of images."""
    factor = RESCALINGS[spec.rescale].factor
    scaled = "" if factor == 1 else f" / {1 / factor:g}"
    return f'{images}.astype("float32"){scaled}'


def _data_code(spec: RunSpec) -> str:
    holdout = spec.data.holdout
    end = "" if spec.examples == spec.data.train else holdout + spec.examples
    training_slice = f"[{holdout}:{end}]"
    validation = "x_test, y_test"
    if spec.validation == "holdout":
        validation = f"x_train[:{holdout}], y_train[:{holdout}]"
    return f"""(x_train, y_train), (x_test, y_test) = {_load_code(spec)}
x_val, y_val = {validation}
x_train, y_train = x_train{training_slice}, y_train{training_slice}  # the first {holdout:,} are never trained on
x_train = {scaling_code(spec, "x_train")}
x_val = {scaling_code(spec, "x_val")}
"""


def _load_code(spec: RunSpec) -> str:
    """An expression for `(x_train, y_train), (x_test, y_test)`."""
    if spec.dataset in PUBLISHED:
        return f"keras.datasets.{spec.dataset}.load_data()"
    first = f'(data := numpy.load({_literal(f"{spec.dataset}.npz")}))["x_train"]'
    return f'({first}, data["y_train"]), (data["x_test"], data["y_test"])'


def _numpy_import(spec: RunSpec) -> str:
    return "" if spec.dataset in PUBLISHED else "\nimport numpy"


def _model_code(spec: RunSpec) -> str:
    network = describe_network(spec)
    layers = "".join(f"        {_layer_code(layer, spec)},\n" for layer in network.layers)
    noise = _BATCH_NOISE_CODE if any(layer.keras_class == "BatchNoise" for layer in network.layers) else ""
    comment = NORMALIZERS[spec.normalizer].code_comment if network.normalizations else ""
    comment = f"# {comment}\n" if comment else ""
    return f"""{noise}{comment}model = keras.Sequential(
    [
        keras.Input({network.input_shape}),
{layers}    ]
)
model.compile(
    optimizer={_optimizer_code(spec)},
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
"""


def _layer_code(layer: Layer, spec: RunSpec) -> str:
    defaults = layer.normalizer.defaults if layer.normalizer else _KERAS_DEFAULTS.get(layer.keras_class, {})
    positional = _POSITIONAL_ARGUMENTS.get(layer.keras_class, ())
    arguments = []
    for name, value in layer.config.items():
        if name in defaults and value == defaults[name]:
            continue
        code = _initializer_code(value, spec) if name == "kernel_initializer" else _literal(value)
        arguments.append(code if name in positional else f"{name}={code}")
    module = "" if layer.keras_class == "BatchNoise" else "keras.layers."
    return f"{module}{layer.keras_class}({', '.join([*arguments, f'name={_literal(layer.name)}'])})"


def _initializer_code(name: str, spec: RunSpec) -> str:
    """The initializer's name, which Keras accepts too, or a call if it takes the spec's standard deviation."""
    initializer = INITIALIZERS[name]
    if initializer.takes_stddev:
        return f"keras.initializers.{initializer.keras_class}(stddev={spec.initializer_stddev})"
    return _literal(name)


def _optimizer_code(spec: RunSpec) -> str:
    optimizer = OPTIMIZERS[spec.optimizer]
    arguments = {"learning_rate": spec.learning_rate, **optimizer.config}
    code = ", ".join(f"{name}={_literal(value)}" for name, value in arguments.items())
    return f"keras.optimizers.{optimizer.keras_class}({code})"


def _literal(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(entry)}" for key, entry in value.items()) + "}"
    return json.dumps(value) if isinstance(value, str) else repr(value)
