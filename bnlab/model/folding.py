"""Normalization folded away: a trained network's BN layers taken into the Dense or Conv2D layers beside them.

In inference mode a normalizer with moving statistics multiplies and adds constants of its own, y = factor · x + shift
with factor = gamma / √(variance + epsilon) and shift = beta − mean · factor, and a layer with a kernel can do that as
well. Not a convolution that BN stands before, though: the zeros that pad its input are not shifted. A normalizer that
takes its statistics from each example cannot be folded.
Source: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", section 3.2. No Keras here: the arithmetic is NumPy's, in float64, rounded once at the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnlab.specs.network import Layer, Network, Variable, describe_network
from bnlab.specs.normalizers import NORMALIZERS, Normalizer
from bnlab.specs.run_spec import RunSpec

Weights = Mapping[str, NDArray[np.float32]]
Floats = NDArray[np.float64]

WEIGHTED = ("Dense", "Conv2D")
"""The layers with a kernel, by Keras's name."""


class FoldError(ValueError):
    """A network that cannot be folded; `str()` is one sentence for the user."""


@dataclass(frozen=True)
class FoldedNetwork:
    """A network without BN layers and its arrays by name (`dense_1/kernel`), float32.

    The layers that are left keep their names; one that had no bias has one now if BN went into it.
    """

    network: Network
    weights: dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class _Affine:
    """What a BN layer does at inference, by feature: factor · x + shift."""

    factor: Floats
    shift: Floats

    def after(self, other: "_Affine") -> "_Affine":
        return _Affine(self.factor * other.factor, self.factor * other.shift + self.shift)

    def flattened(self, size: int) -> "_Affine":
        """The same, once an image whose channels come last is flattened to `size` features."""
        times = size // len(self.factor)
        return _Affine(np.tile(self.factor, times), np.tile(self.shift, times))


def fold(spec: RunSpec, weights: Weights) -> FoldedNetwork:
    """The network of `spec` with `weights`, named as in a checkpoint, without its BN layers.

    Raises:
        FoldError: the normalizer cannot be folded, or a layer has none beside it that can take it in.
        KeyError: an array of the spec's network is missing.
    """
    if reason := unfoldable_reason(spec):
        raise FoldError(reason)
    # Noise after BN is drawn in training alone.
    return fold_network(describe_network(spec.model_copy(update={"noise": False})), weights)


def fold_network(network: Network, weights: Weights) -> FoldedNetwork:
    """`network` without its BN layers: each goes into the layer with a kernel before it, or else the one after it.

    Raises:
        FoldError: the normalizer cannot be folded, or a layer has none beside it that can take it in.
        KeyError: an array of the network is missing.
    """
    layers: list[Layer] = []
    arrays: dict[str, Floats] = {}
    waiting: _Affine | None = None  # what BN after a layer without a kernel does, for the Dense layer to come
    for layer in network.layers:
        if layer.normalizer is not None:
            affine = _affine(layer, layer.normalizer, weights)
            if layers and layers[-1].keras_class in WEIGHTED:
                layers[-1] = _into_previous(layers[-1], arrays, affine)
            else:
                waiting = affine if waiting is None else affine.after(waiting)
            continue
        arrays |= {name: weights[name].astype(np.float64) for name in _names(layer)}
        kept, waiting = _pass(waiting, layer, arrays)
        layers.append(kept)
    if waiting is not None:
        raise FoldError("Batch normalization at the very end of a network has no Dense layer to be folded into.")
    blocks = tuple(replace(block, pre_activation=block.dense) for block in network.blocks)
    folded = replace(network, layers=tuple(layers), blocks=blocks)
    return FoldedNetwork(folded, {name: array.astype(np.float32) for name, array in arrays.items()})


def unfoldable_reason(spec: RunSpec) -> str:
    """One sentence for a normalizer that cannot be folded; empty for one that can."""
    normalizer = NORMALIZERS[spec.normalizer]
    if normalizer.foldable:
        return ""
    return (
        f"{normalizer.title} cannot be folded away: it normalizes each example by that example's own values, so there "
        "is no fixed factor and offset that another layer could take in."
    )


def _affine(layer: Layer, normalizer: Normalizer, weights: Weights) -> _Affine:
    roles = {v.name: v.role for v in normalizer.shown_variables}
    arrays = {
        roles[v.name]: weights[f"{layer.name}/{v.name}"].astype(np.float64) for v in layer.variables if v.name in roles
    }
    factor = arrays.get("factor", 1.0) / np.sqrt(arrays["variance"] + layer.config["epsilon"])
    return _Affine(factor, arrays.get("offset", 0.0) - arrays["mean"] * factor)


def _pass(waiting: _Affine | None, layer: Layer, arrays: dict[str, Floats]) -> tuple[Layer, _Affine | None]:
    """The layer with what waits before it taken in, or else what waits behind it now."""
    if waiting is None:
        return layer, None
    if layer.keras_class == "Flatten":
        return layer, waiting.flattened(layer.output_shape[0])
    if layer.keras_class == "Conv2D":
        raise FoldError(
            f"Batch normalization stands before {layer.name}, which pads its input with zeros: "
            "folded into it, the borders of the image would come out otherwise."
        )
    return _into_next(waiting, layer, arrays), None


def _into_previous(layer: Layer, arrays: dict[str, Floats], affine: _Affine) -> Layer:
    """As one layer: factor · (x · kernel + bias) + shift; a kernel's last axis is its units or filters."""
    kernel, bias = f"{layer.name}/kernel", f"{layer.name}/bias"
    arrays[bias] = arrays.get(bias, 0.0) * affine.factor + affine.shift
    arrays[kernel] = arrays[kernel] * affine.factor
    return _with_bias(layer)


def _into_next(affine: _Affine, dense: Layer, arrays: dict[str, Floats]) -> Layer:
    """As one Dense layer: (factor · x + shift) · kernel + bias."""
    if dense.keras_class != "Dense":
        raise FoldError(f"Batch normalization stands before {dense.name}, which is no Dense layer to be folded into.")
    kernel, bias = f"{dense.name}/kernel", f"{dense.name}/bias"
    arrays[bias] = arrays.get(bias, 0.0) + affine.shift @ arrays[kernel]
    arrays[kernel] = arrays[kernel] * affine.factor[:, None]
    return _with_bias(dense)


def _with_bias(layer: Layer) -> Layer:
    if any(variable.name == "bias" for variable in layer.variables):
        return layer
    bias = Variable("bias", layer.output_shape[-1:], True)
    return replace(layer, config=layer.config | {"use_bias": True}, variables=(*layer.variables, bias))


def _names(layer: Layer) -> list[str]:
    return [f"{layer.name}/{variable.name}" for variable in layer.variables]
