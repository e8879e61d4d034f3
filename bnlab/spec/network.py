"""The network a spec describes, as plain data: one description that is drawn, counted, built and printed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bnlab.spec.choices import ACTIVATIONS
from bnlab.spec.run_spec import RunSpec


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
    """One Keras layer: its class, the arguments that matter, its output's shape (without the batch)."""

    name: str
    keras_class: str
    output_shape: tuple[int, ...]
    config: dict[str, Any] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()

    @property
    def trainable(self) -> int:
        """Parameters that the optimizer updates."""
        return sum(v.size for v in self.variables if v.trainable)

    @property
    def non_trainable(self) -> int:
        """Parameters that it does not, such as moving_mean."""
        return sum(v.size for v in self.variables if not v.trainable)

    @property
    def params(self) -> int:
        """All parameters."""
        return self.trainable + self.non_trainable


@dataclass(frozen=True)
class Block:
    """A hidden layer's parts by name; `pre_activation` is the layer whose output enters the nonlinearity."""

    dense: str
    pre_activation: str


@dataclass(frozen=True)
class Network:
    """The layers in order, from Flatten to the softmax."""

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
    def normalizations(self) -> tuple[Layer, ...]:
        """The batch-normalization layers, from the input on."""
        return tuple(layer for layer in self.layers if layer.keras_class == "BatchNormalization")


def describe_network(spec: RunSpec) -> Network:
    """The network of `spec`: Flatten, BN on the input if asked, the hidden blocks, Dense softmax."""
    width = math.prod(spec.data.image_shape)
    layers = [Layer("flatten", "Flatten", (width,))]
    if spec.input_normalization:
        layers.append(_normalization("bn_input", width, spec))
    blocks = []
    for number, units in enumerate(spec.hidden_units, start=1):
        block = list(_block(number, width, units, spec))
        named = {layer.name for layer in block}
        before = spec.placement == "before_activation" and f"bn_{number}" in named
        blocks.append(Block(f"dense_{number}", f"bn_{number}" if before else f"dense_{number}"))
        layers += block
        width = units
    config = {"units": spec.data.classes, "activation": "softmax"}
    layers.append(Layer("output", "Dense", (spec.data.classes,), config, _dense(width, spec.data.classes, True)))
    return Network(spec.data.image_shape, tuple(layers), tuple(blocks))


def _block(number: int, inputs: int, units: int, spec: RunSpec) -> Iterator[Layer]:
    config = {"units": units, "use_bias": spec.use_bias, "kernel_initializer": spec.kernel_initializer}
    yield Layer(f"dense_{number}", "Dense", (units,), config, _dense(inputs, units, spec.use_bias))
    if spec.placement == "before_activation":
        yield _normalization(f"bn_{number}", units, spec)
    activation = ACTIVATIONS[spec.activation]
    if activation.layer is not None:
        yield Layer(f"activation_{number}", activation.layer, (units,), dict(activation.config))
    if spec.placement == "after_activation":
        yield _normalization(f"bn_{number}", units, spec)


def _dense(inputs: int, units: int, use_bias: bool) -> tuple[Variable, ...]:
    kernel = Variable("kernel", (inputs, units), True)
    return (kernel, Variable("bias", (units,), True)) if use_bias else (kernel,)


def _normalization(name: str, units: int, spec: RunSpec) -> Layer:
    """BN's variables: 4 × units, fewer without center or scale, 3 × units more with renorm."""
    names = [("gamma", True)] if spec.scale else []
    names += [("beta", True)] if spec.center else []
    names += [("moving_mean", False), ("moving_variance", False)]
    if spec.renorm:
        names += [("moving_stddev", False), ("renorm_mean", False), ("renorm_stddev", False)]
    variables = tuple(Variable(variable, (units,), trainable) for variable, trainable in names)
    config = {key: getattr(spec, key) for key in ("momentum", "epsilon", "center", "scale", "renorm")}
    return Layer(name, "BatchNormalization", (units,), config, variables)
