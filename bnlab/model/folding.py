"""Folding: the normalization layers of a trained network merged into the Dense or Conv2D layers next to them.

At inference a normalizer with moving statistics is a fixed affine map per unit, y = factor · x + shift with
factor = gamma / √(variance + epsilon) and shift = beta − mean · factor, which the kernel and bias of a layer next to it
can include. Two kinds cannot be folded: normalizers that take their statistics from each example, and normalization
before a convolution, because the zeros that pad its input are not shifted. Such layers stay; see `kept_layers`.

Source: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", section 3.2. The arithmetic is NumPy's in float64, rounded to float32 at the end, without Keras.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bnlab.specs.network import Layer, Network, Variable, describe_network
from bnlab.specs.normalizers import NORMALIZERS, Normalizer
from bnlab.specs.run_spec import RunSpec

Weights = Mapping[str, NDArray[np.float32]]
"""Arrays by name (`dense_1/kernel`), as in a checkpoint."""

Floats = NDArray[np.float64]


class FoldError(ValueError):
    """A network that cannot be folded; `str()` is one sentence for the user."""


@dataclass(frozen=True)
class FoldedNetwork:
    """A network without the normalization layers that can be folded, and its arrays (`dense_1/kernel`), float32.

    The other layers keep their names. A layer without a bias gets one if a normalization layer was merged into it.
    """

    network: Network
    weights: dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class _Affine:
    """An affine map of each feature, factor · x + shift: a normalization layer at inference."""

    factor: Floats
    shift: Floats

    def compose(self, inner: "_Affine") -> "_Affine":
        """The map that applies `inner` first and then this one."""
        return _Affine(self.factor * inner.factor, self.factor * inner.shift + self.shift)

    def flatten(self, size: int) -> "_Affine":
        """The map after an image, channels last, is flattened to `size` features."""
        repeats = size // len(self.factor)
        return _Affine(np.tile(self.factor, repeats), np.tile(self.shift, repeats))


def fold(spec: RunSpec, weights: Weights) -> FoldedNetwork:
    """The network of `spec` with `weights`, named as in a checkpoint, without the normalization that can be folded.

    Raises:
        FoldError: no normalization layer can be folded.
        KeyError: an array of the spec's network is missing.
    """
    if reason := unfoldable_reason(spec):
        raise FoldError(reason)
    # Noise layers are the identity at inference.
    return fold_network(describe_network(spec.model_copy(update={"noise": False})), weights)


def fold_network(network: Network, weights: Weights) -> FoldedNetwork:
    """Merge each normalization layer into the preceding layer, if that has a kernel, else into the next Dense layer.

    Raises:
        FoldError: no normalization layer has a layer next to it that can include it.
        KeyError: an array of the network is missing.
    """
    kept = _kept_layers(network)
    if kept and len(kept) == len(network.normalizations):
        raise FoldError(" ".join(kept.values()))
    layers: list[Layer] = []
    arrays: dict[str, Floats] = {}
    pending: _Affine | None = None  # normalization after a layer without a kernel, for the next Dense layer
    for layer in network.layers:
        if layer.normalizer is not None and layer.name not in kept:
            affine = _read_affine(layer, layer.normalizer, weights)
            if layers and layers[-1].has_kernel:
                layers[-1] = _fold_into_previous(layers[-1], arrays, affine)
            else:
                pending = affine if pending is None else affine.compose(pending)
            continue
        arrays |= {name: weights[name].astype(np.float64) for name in _variable_names(layer)}
        if pending is None:
            layers.append(layer)
        elif layer.keras_class == "Flatten":
            pending = pending.flatten(layer.output_shape[0])
            layers.append(layer)
        else:
            layers.append(_fold_into_next(pending, layer, arrays))
            pending = None
    blocks = tuple(replace(block, pre_activation=block.dense) for block in network.blocks)
    folded = replace(network, layers=tuple(layers), blocks=blocks)
    return FoldedNetwork(folded, {name: array.astype(np.float32) for name, array in arrays.items()})


@lru_cache(maxsize=256)
def kept_layers(spec: RunSpec) -> Mapping[str, str]:
    """The normalization layers that cannot be folded, each with one sentence for the user that says why."""
    return _kept_layers(describe_network(spec.model_copy(update={"noise": False})))


@lru_cache(maxsize=256)
def unfoldable_reason(spec: RunSpec) -> str:
    """Why nothing of the spec's normalization can be folded, for the user; empty if something can or there is none."""
    normalizer = NORMALIZERS[spec.normalizer]
    if not normalizer.foldable:
        return (
            f"{normalizer.title} cannot be folded away: it normalizes each example by that example's own values, so "
            "there is no fixed factor and offset that another layer could take in."
        )
    kept = kept_layers(spec)
    return " ".join(kept.values()) if len(kept) == len(describe_network(spec).normalizations) else ""


def _kept_layers(network: Network) -> dict[str, str]:
    """The normalization layers with no layer next to them that can include them, each with the reason."""
    kept = {}
    for index, layer in enumerate(network.layers):
        if layer.normalizer is None or _follows_kernel(network.layers[:index]):
            continue
        following = next((after for after in network.layers[index:] if not _is_passed(after)), None)
        if following is None:
            kept[layer.name] = (
                f"{layer.name} stays: at the very end of a network it has no Dense layer to be folded into."
            )
        elif following.keras_class == "Conv2D":
            kept[layer.name] = (
                f"{layer.name} stays: it stands before {following.name}, which pads its input with zeros: folded into "
                "it, the borders of the image would come out otherwise."
            )
        elif following.keras_class != "Dense":
            kept[layer.name] = f"{layer.name} stays: {following.name} after it is no Dense layer to be folded into."
    return kept


def _follows_kernel(before: Sequence[Layer]) -> bool:
    """Whether only normalization is between the end of `before` and a layer with a kernel."""
    previous = next((layer for layer in reversed(before) if layer.normalizer is None), None)
    return previous is not None and previous.has_kernel


def _is_passed(layer: Layer) -> bool:
    """Whether an affine map before the layer can be moved behind it."""
    return layer.normalizer is not None or layer.keras_class == "Flatten"


def _read_affine(layer: Layer, normalizer: Normalizer, weights: Weights) -> _Affine:
    roles = {v.name: v.role for v in normalizer.shown_variables}
    arrays = {
        roles[v.name]: weights[f"{layer.name}/{v.name}"].astype(np.float64) for v in layer.variables if v.name in roles
    }
    factor = arrays.get("factor", 1.0) / np.sqrt(arrays["variance"] + layer.config["epsilon"])
    return _Affine(factor, arrays.get("offset", 0.0) - arrays["mean"] * factor)


def _fold_into_previous(layer: Layer, arrays: dict[str, Floats], affine: _Affine) -> Layer:
    """The layer and, in `arrays`, its weights for factor · (x · kernel + bias) + shift.

    The last axis of a kernel is its units or filters.
    """
    kernel, bias = f"{layer.name}/kernel", f"{layer.name}/bias"
    arrays[bias] = arrays.get(bias, 0.0) * affine.factor + affine.shift
    arrays[kernel] = arrays[kernel] * affine.factor
    return _with_bias(layer)


def _fold_into_next(affine: _Affine, layer: Layer, arrays: dict[str, Floats]) -> Layer:
    """The Dense layer and, in `arrays`, its weights for (factor · x + shift) · kernel + bias."""
    kernel, bias = f"{layer.name}/kernel", f"{layer.name}/bias"
    arrays[bias] = arrays.get(bias, 0.0) + affine.shift @ arrays[kernel]
    arrays[kernel] = arrays[kernel] * affine.factor[:, None]
    return _with_bias(layer)


def _with_bias(layer: Layer) -> Layer:
    if any(variable.name == "bias" for variable in layer.variables):
        return layer
    bias = Variable("bias", layer.output_shape[-1:], True)
    return replace(layer, config=layer.config | {"use_bias": True}, variables=(*layer.variables, bias))


def _variable_names(layer: Layer) -> list[str]:
    return [f"{layer.name}/{variable.name}" for variable in layer.variables]
