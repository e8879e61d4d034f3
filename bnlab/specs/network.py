"""The network of a spec as plain data. This one description is drawn, counted, built, folded and printed as code."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from bnlab.specs.choices import ACTIVATIONS
from bnlab.specs.datasets import Dataset
from bnlab.specs.normalizers import NORMALIZERS, Normalizer
from bnlab.specs.run_spec import RUNTIME_FIELDS, RunSpec

KERNEL_SIZE, STRIDES = 3, 2
"""Of each convolution, which halves the image's height and width."""
TRAINING_FIELDS = RUNTIME_FIELDS | {"optimizer", "momentum", "noise"}
"""Fields that decide the values of the weights, but not how a network predicts with them."""
_TRAINING_DEFAULTS = {name: RunSpec.model_fields[name].default for name in TRAINING_FIELDS}


@dataclass(frozen=True)
class Variable:
    """One array of a layer, with the name that Keras gives it."""

    name: str
    shape: tuple[int, ...]
    trainable: bool

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layer:
    """One Keras layer.

    Attributes:
        name: Its name in the network, such as `dense_1`.
        keras_class: The class in `keras.layers`, or `BatchNoise`.
        output_shape: Without the batch.
        config: The arguments of the class that are not left at Keras's default.
        variables: Its arrays, in Keras's order.
        normalizer_name: The key in `NORMALIZERS` of a normalization layer; empty for other layers.
    """

    name: str
    keras_class: str
    output_shape: tuple[int, ...]
    config: dict[str, Any] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()
    normalizer_name: str = ""

    @property
    def normalizer(self) -> Normalizer | None:
        """The normalizer of a normalization layer; None for other layers."""
        return NORMALIZERS.get(self.normalizer_name)

    @property
    def has_kernel(self) -> bool:
        """Whether it is a Dense layer or a convolution."""
        return any(v.name == "kernel" for v in self.variables)

    @property
    def trainable(self) -> int:
        """The number of parameters that the optimizer updates."""
        return sum(v.size for v in self.variables if v.trainable)

    @property
    def non_trainable(self) -> int:
        """The number of other parameters, such as moving statistics."""
        return sum(v.size for v in self.variables if not v.trainable)

    @property
    def params(self) -> int:
        """The number of parameters."""
        return self.trainable + self.non_trainable

    @property
    def multiplications(self) -> int:
        """The number of multiplications by its kernel for one image: a convolution has some at each position."""
        kernel = sum(v.size for v in self.variables if v.name == "kernel")
        return kernel * math.prod(self.output_shape[:-1])


@dataclass(frozen=True)
class Block:
    """The names of a hidden block's layers.

    `dense` is the layer with the kernel, a Conv2D in a convolutional network. The output of `pre_activation` enters the
    nonlinearity.
    """

    dense: str
    pre_activation: str


@dataclass(frozen=True)
class Network:
    """The layers from the image to the softmax, and the hidden blocks that they form."""

    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    blocks: tuple[Block, ...]

    @property
    def trainable(self) -> int:
        """The number of parameters that the optimizer updates."""
        return sum(layer.trainable for layer in self.layers)

    @property
    def non_trainable(self) -> int:
        """The number of other parameters."""
        return sum(layer.non_trainable for layer in self.layers)

    @property
    def params(self) -> int:
        """The number of parameters."""
        return self.trainable + self.non_trainable

    @property
    def multiplications(self) -> int:
        """The number of multiplications by kernels for one image."""
        return sum(layer.multiplications for layer in self.layers)

    @property
    def normalizations(self) -> tuple[Layer, ...]:
        """The normalization layers, in order."""
        return tuple(layer for layer in self.layers if layer.normalizer is not None)

    @property
    def input_normalization(self) -> Layer | None:
        """The normalization layer before the first kernel; None if there is none."""
        first = next(layer for layer in self.layers if layer.normalizer or layer.has_kernel)
        return first if first.normalizer else None


def describe_network(spec: RunSpec) -> Network:
    """The network of `spec`: input normalization if the spec has it, the hidden blocks, a Dense softmax layer.

    A dense network flattens the image first, a convolutional one the output of its last block.
    """
    layers = list(_input_layers(spec))
    shape = layers[-1].output_shape if layers else spec.data.image_shape
    blocks = []
    for number, units in enumerate(spec.hidden_units, start=1):
        block_layers = list(_block_layers(number, shape, units, spec))
        # The order is kernel, normalization, noise, activation if the placement is before the activation.
        pre_activation = 1 + spec.noise if spec.placement == "before_activation" else 0
        blocks.append(Block(block_layers[0].name, block_layers[pre_activation].name))
        layers += block_layers
        shape = block_layers[-1].output_shape
    if len(shape) > 1:
        shape = (math.prod(shape),)
        layers.append(Layer("flatten", "Flatten", shape))
    config = {"units": spec.data.classes, "activation": "softmax"}
    layers.append(
        Layer("output", "Dense", (spec.data.classes,), config, _weights((*shape, spec.data.classes), use_bias=True))
    )
    return Network(spec.data.image_shape, tuple(layers), tuple(blocks))


def prediction_key(spec: RunSpec) -> str:
    """20 hexadecimal digits, the same for specs whose networks do the same computation to predict.

    They depend on the layers with their shapes and arguments, and not on the weights or on how these were trained.
    """
    return _prediction_key(spec, spec.data)


@lru_cache(maxsize=4096)  # pages need the same keys again and again
def _prediction_key(spec: RunSpec, _data: Dataset) -> str:
    network = describe_network(spec.model_copy(update=_TRAINING_DEFAULTS))
    layers = [(layer.keras_class, layer.output_shape, layer.config) for layer in network.layers]
    canonical = json.dumps([network.input_shape, layers], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:20]


def _input_layers(spec: RunSpec) -> Iterator[Layer]:
    shape = spec.data.image_shape
    if spec.architecture == "dense":
        shape = (math.prod(shape),)
        yield Layer("flatten", "Flatten", shape)
    elif len(shape) == 2:
        shape = (*shape, 1)
        yield Layer("reshape", "Reshape", shape, {"target_shape": shape})
    if spec.input_normalization:
        yield _normalization("input", shape, spec)


def _block_layers(number: int, input_shape: tuple[int, ...], units: int, spec: RunSpec) -> Iterator[Layer]:
    kernel_layer = (_dense if spec.architecture == "dense" else _convolution)(number, input_shape, units, spec)
    yield kernel_layer
    shape = kernel_layer.output_shape
    if spec.placement == "before_activation":
        yield from _hidden_normalization(number, shape, spec)
    activation = ACTIVATIONS[spec.activation]
    if activation.layer is not None:
        yield Layer(f"activation_{number}", activation.layer, shape, dict(activation.config))
    if spec.placement == "after_activation":
        yield from _hidden_normalization(number, shape, spec)


def _dense(number: int, input_shape: tuple[int, ...], units: int, spec: RunSpec) -> Layer:
    config = {"units": units, **_kernel_config(spec)}
    return Layer(f"dense_{number}", "Dense", (units,), config, _weights((*input_shape, units), use_bias=spec.use_bias))


def _convolution(number: int, input_shape: tuple[int, ...], filters: int, spec: RunSpec) -> Layer:
    height, width, channels = input_shape
    config = {
        "filters": filters,
        "kernel_size": KERNEL_SIZE,
        "strides": STRIDES,
        "padding": "same",
        **_kernel_config(spec),
    }
    shape = (math.ceil(height / STRIDES), math.ceil(width / STRIDES), filters)
    variables = _weights((KERNEL_SIZE, KERNEL_SIZE, channels, filters), use_bias=spec.use_bias)
    return Layer(f"conv_{number}", "Conv2D", shape, config, variables)


def _kernel_config(spec: RunSpec) -> dict[str, Any]:
    return {"use_bias": spec.use_bias, "kernel_initializer": spec.kernel_initializer}


def _hidden_normalization(number: int, shape: tuple[int, ...], spec: RunSpec) -> Iterator[Layer]:
    yield _normalization(str(number), shape, spec)
    if spec.noise:
        yield Layer(f"noise_{number}", "BatchNoise", shape, {"index": number})


def _weights(kernel_shape: tuple[int, ...], *, use_bias: bool) -> tuple[Variable, ...]:
    bias = (Variable("bias", kernel_shape[-1:], True),) if use_bias else ()
    return (Variable("kernel", kernel_shape, True), *bias)


def _normalization(suffix: str, shape: tuple[int, ...], spec: RunSpec) -> Layer:
    """A layer of the spec's normalizer; each of its variables has one value per unit (a convolution's channel)."""
    normalizer, units = NORMALIZERS[spec.normalizer], shape[-1]
    fields = {argument: getattr(spec, name) for argument, name in normalizer.fields.items()}
    config = {**normalizer.sized_config(units), **fields, **normalizer.config}
    variables = tuple(
        Variable(v.name, (units,), v.trainable) for v in normalizer.variables if not v.field or getattr(spec, v.field)
    )
    return Layer(f"{normalizer.prefix}_{suffix}", normalizer.keras_class, shape, config, variables, spec.normalizer)
