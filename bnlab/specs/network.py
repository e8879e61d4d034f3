"""The network a spec describes, as plain data: one description that is drawn, counted, built and printed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bnlab.specs.choices import ACTIVATIONS
from bnlab.specs.normalizers import NORMALIZERS, Normalizer
from bnlab.specs.run_spec import RunSpec

KERNEL_SIZE, STRIDES = 3, 2
"""Of the convolutions; each halves the image's height and width."""


@dataclass(frozen=True)
class Variable:
    """One array of a layer, by Keras's name."""

    name: str
    shape: tuple[int, ...]
    trainable: bool

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layer:
    """One Keras layer: its class, the arguments that matter, its output's shape (without the batch).

    `normalizer_name` is the key in NORMALIZERS of a normalization layer, and empty for others.
    """

    name: str
    keras_class: str
    output_shape: tuple[int, ...]
    config: dict[str, Any] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()
    normalizer_name: str = ""

    @property
    def normalizer(self) -> Normalizer | None:
        """What is known of it as a normalization layer; None for other layers."""
        return NORMALIZERS.get(self.normalizer_name)

    @property
    def trainable(self) -> int:
        """Parameters that the optimizer updates."""
        return sum(v.size for v in self.variables if v.trainable)

    @property
    def non_trainable(self) -> int:
        """Parameters that it does not, such as moving statistics."""
        return sum(v.size for v in self.variables if not v.trainable)

    @property
    def params(self) -> int:
        """All parameters."""
        return self.trainable + self.non_trainable

    @property
    def products(self) -> int:
        """How often it multiplies by its kernel for one image: a convolution does so at each place."""
        kernel = sum(v.size for v in self.variables if v.name == "kernel")
        return kernel * math.prod(self.output_shape[:-1])


@dataclass(frozen=True)
class Block:
    """A hidden layer's parts by name.

    `dense` is the layer with the kernel, a Conv2D in a convolutional network; `pre_activation` the one whose output
    enters the nonlinearity.
    """

    dense: str
    pre_activation: str


@dataclass(frozen=True)
class Network:
    """The layers in order, from the image to the softmax."""

    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    blocks: tuple[Block, ...]

    @property
    def trainable(self) -> int:
        """Parameters that the optimizer updates."""
        return sum(layer.trainable for layer in self.layers)

    @property
    def non_trainable(self) -> int:
        """Parameters that it does not."""
        return sum(layer.non_trainable for layer in self.layers)

    @property
    def params(self) -> int:
        """All parameters."""
        return self.trainable + self.non_trainable

    @property
    def products(self) -> int:
        """How often all kernels together multiply for one image."""
        return sum(layer.multiplications for layer in self.layers)

    @property
    def normalizations(self) -> tuple[Layer, ...]:
        """The normalization layers, from the input on."""
        return tuple(layer for layer in self.layers if layer.normalizer is not None)

    @property
    def input_normalization(self) -> Layer | None:
        """The one that the image enters before any kernel; None where there is none."""
        first = next(layer for layer in self.layers if layer.normalizer or layer.multiplications)
        return first if first.normalizer else None


def describe_network(spec: RunSpec) -> Network:
    """The network of `spec`: normalization on the input if asked, the hidden blocks, Dense softmax.

    A dense network flattens the image first, a convolutional one what its last block puts out.
    """
    layers = list(_entrance(spec))
    shape = layers[-1].output_shape if layers else spec.data.image_shape
    blocks = []
    for number, units in enumerate(spec.hidden_units, start=1):
        block = list(_block(number, shape, units, spec))
        # A block begins with its kernel and, if placed before the activation, with normalization and perhaps noise.
        entering = 1 + spec.noise if spec.placement == "before_activation" else 0
        blocks.append(Block(block[0].name, block[entering].name))
        layers += block
        shape = block[-1].output_shape
    if len(shape) > 1:
        shape = (math.prod(shape),)
        layers.append(Layer("flatten", "Flatten", shape))
    config = {"units": spec.data.classes, "activation": "softmax"}
    layers.append(
        Layer("output", "Dense", (spec.data.classes,), config, _weights((*shape, spec.data.classes), use_bias=True))
    )
    return Network(spec.data.image_shape, tuple(layers), tuple(blocks))


def _entrance(spec: RunSpec) -> Iterator[Layer]:
    shape = spec.data.image_shape
    if spec.architecture == "dense":
        shape = (math.prod(shape),)
        yield Layer("flatten", "Flatten", shape)
    elif len(shape) == 2:
        shape = (*shape, 1)
        yield Layer("reshape", "Reshape", shape, {"target_shape": shape})
    if spec.input_normalization:
        yield _normalization("input", shape, spec)


def _block(number: int, inputs: tuple[int, ...], units: int, spec: RunSpec) -> Iterator[Layer]:
    weights = (_dense if spec.architecture == "dense" else _convolution)(number, inputs, units, spec)
    yield weights
    shape = weights.output_shape
    if spec.placement == "before_activation":
        yield from _hidden_normalization(number, shape, spec)
    activation = ACTIVATIONS[spec.activation]
    if activation.layer is not None:
        yield Layer(f"activation_{number}", activation.layer, shape, dict(activation.config))
    if spec.placement == "after_activation":
        yield from _hidden_normalization(number, shape, spec)


def _dense(number: int, inputs: tuple[int, ...], units: int, spec: RunSpec) -> Layer:
    config = {"units": units, **_own(spec)}
    return Layer(f"dense_{number}", "Dense", (units,), config, _weights((*inputs, units), use_bias=spec.use_bias))


def _convolution(number: int, inputs: tuple[int, ...], filters: int, spec: RunSpec) -> Layer:
    height, width, channels = inputs
    config = {"filters": filters, "kernel_size": KERNEL_SIZE, "strides": STRIDES, "padding": "same", **_own(spec)}
    shape = (math.ceil(height / STRIDES), math.ceil(width / STRIDES), filters)
    variables = _weights((KERNEL_SIZE, KERNEL_SIZE, channels, filters), use_bias=spec.use_bias)
    return Layer(f"conv_{number}", "Conv2D", shape, config, variables)


def _own(spec: RunSpec) -> dict[str, Any]:
    return {"use_bias": spec.use_bias, "kernel_initializer": spec.kernel_initializer}


def _hidden_normalization(number: int, shape: tuple[int, ...], spec: RunSpec) -> Iterator[Layer]:
    yield _normalization(str(number), shape, spec)
    if spec.noise:
        yield Layer(f"noise_{number}", "BatchNoise", shape, {"place": number})


def _weights(kernel: tuple[int, ...], *, use_bias: bool) -> tuple[Variable, ...]:
    bias = (Variable("bias", kernel[-1:], True),) if use_bias else ()
    return (Variable("kernel", kernel, True), *bias)


def _normalization(place: str, shape: tuple[int, ...], spec: RunSpec) -> Layer:
    """The layer of the spec's normalizer; each of its variables has one value a unit (a convolution's channel)."""
    normalizer, units = NORMALIZERS[spec.normalizer], shape[-1]
    fields = {argument: getattr(spec, name) for argument, name in normalizer.fields.items()}
    config = {**normalizer.sized_config(units), **fields, **normalizer.config}
    variables = tuple(
        Variable(v.name, (units,), v.trainable) for v in normalizer.variables if not v.field or getattr(spec, v.field)
    )
    return Layer(f"{normalizer.prefix}_{place}", normalizer.keras_class, shape, config, variables, spec.normalizer)
