"""Keras models from specs and network descriptions."""

from typing import Any

import keras
import numpy as np

from bnlab.model.folding import Weights, fold
from bnlab.model.noise import BatchNoise
from bnlab.specs.choices import INITIALIZERS
from bnlab.specs.network import Layer, Network, describe_network
from bnlab.specs.run_spec import RunSpec


def build_model(spec: RunSpec) -> keras.Sequential:
    """The model of `spec` with its initial weights, from images `[batch, *image_shape]` to the softmax.

    Each kernel is drawn from the spec's seed and its layer's index among the layers with kernels, so that specs which
    differ only in normalization start from the same kernels wherever the shapes agree.
    """
    return build_network(describe_network(spec), spec)


def build_network(network: Network, spec: RunSpec) -> keras.Sequential:
    """The model that `network`, all or a part of the spec's network, describes, with the spec's initial weights."""
    names = [layer.name for layer in network.layers if layer.has_kernel]
    kernel_indices = {name: index for index, name in enumerate(names)}
    layers = [_build_layer(layer, spec, kernel_indices.get(layer.name, 0)) for layer in network.layers]
    # All layers at once: `add` would rebuild the model for each of them.
    return keras.Sequential([keras.Input(network.input_shape), *layers])


def build_trained(network: Network, spec: RunSpec, weights: Weights) -> keras.Sequential:
    """The model that `network` describes, with `weights` by name (`dense_1/kernel`); other names are ignored.

    Raises:
        KeyError: an array of the network is missing.
    """
    model = build_network(network, spec)
    for layer in network.layers:
        model.get_layer(layer.name).set_weights([weights[f"{layer.name}/{v.name}"] for v in layer.variables])
    return model


def build_folded(spec: RunSpec, weights: Weights) -> keras.Sequential:
    """A model that predicts as the spec's network with `weights`, without the normalization that can be folded.

    `bnlab.model.export.model_file` makes a `.keras` file of it.

    Raises:
        bnlab.model.folding.FoldError: the network cannot be folded.
        KeyError: an array of the spec's network is missing.
    """
    folded = fold(spec, weights)
    return build_trained(folded.network, spec, folded.weights)


def _build_layer(layer: Layer, spec: RunSpec, kernel_index: int) -> keras.Layer:
    config = dict(layer.config)
    if layer.has_kernel:
        # The description leaves out Keras's default, which the output layer has.
        name = config.get("kernel_initializer", "glorot_uniform")
        config["kernel_initializer"] = _build_initializer(name, spec, kernel_index)
    if layer.keras_class == "BatchNoise":
        return BatchNoise(name=layer.name, **config)
    return getattr(keras.layers, layer.keras_class)(name=layer.name, **config)


def _build_initializer(name: str, spec: RunSpec, kernel_index: int) -> keras.Initializer:
    initializer = INITIALIZERS[name]
    arguments: dict[str, Any] = {}
    if initializer.takes_seed:
        arguments["seed"] = int(np.random.SeedSequence([spec.seed, kernel_index]).generate_state(1)[0] >> 1)
    if initializer.takes_stddev:
        arguments["stddev"] = spec.initializer_stddev
    return getattr(keras.initializers, initializer.keras_class)(**arguments)
