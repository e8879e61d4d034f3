"""A Keras model from the description of its network."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from bnlab.model.folding import Weights, fold
from bnlab.model.noise import BatchNoise
from bnlab.specs.choices import INITIALIZERS
from bnlab.specs.network import Layer, Network, describe_network
from bnlab.specs.run_spec import RunSpec

WEIGHTED = ("Dense", "Conv2D")
"""The layers with a kernel."""


def build_model(spec: RunSpec) -> keras.Sequential:
    """The model of `spec` with its initial weights, input `[batch, *image_shape]`, output the softmax.

    Each kernel is drawn from the spec's seed and its layer's place among the layers with kernels, so that
    specs which differ only in normalization start from the same kernels wherever shapes agree.
    """
    return build_network(describe_network(spec), spec)


def build_network(network: Network, spec: RunSpec) -> keras.Sequential:
    """The model that `network` describes, which need not be all of the spec's; its initial weights are the spec's."""
    weighted = [layer.name for layer in network.layers if layer.keras_class in WEIGHTED]
    places = {name: place for place, name in enumerate(weighted)}
    layers = [_build_layer(layer, spec, places.get(layer.name, 0)) for layer in network.layers]
    # All at once: `add` would build the model anew for each layer.
    return keras.Sequential([keras.Input(network.input_shape), *layers])


def build_trained(network: Network, spec: RunSpec, weights: Mapping[str, NDArray[np.float32]]) -> keras.Sequential:
    """The model that `network` describes, with `weights` by name (`dense_1/kernel`); other names are ignored.

    Raises:
        KeyError: an array of the network is missing.
    """
    model = build_network(network, spec)
    for layer in network.layers:
        model.get_layer(layer.name).set_weights([weights[f"{layer.name}/{v.name}"] for v in layer.variables])
    return model


def _build_layer(layer: Layer, spec: RunSpec, place: int) -> keras.Layer:
    config = dict(layer.config)
    if layer.keras_class in WEIGHTED:
        # Keras's default where the description names none: the output layer.
        name = config.get("kernel_initializer", "glorot_uniform")
        config["kernel_initializer"] = _build_initializer(name, spec, place)
    if layer.keras_class == "BatchNoise":
        return BatchNoise(name=layer.name, **config)
    return getattr(keras.layers, layer.keras_class)(name=layer.name, **config)


def _build_initializer(name: str, spec: RunSpec, place: int) -> keras.Initializer:
    initializer = INITIALIZERS[name]
    arguments: dict[str, Any] = {}
    if initializer.takes_seed:
        arguments["seed"] = int(np.random.SeedSequence([spec.seed, place]).generate_state(1)[0] >> 1)
    if initializer.takes_stddev:
        arguments["stddev"] = spec.initializer_stddev
    return getattr(keras.initializers, initializer.keras_class)(**arguments)


def build_folded(spec: RunSpec, weights: Weights) -> keras.Sequential:
    """The Keras model that predicts what the spec's network with `weights` does, without its BN layers.

    `bnlab.model.export.model_file` makes a `.keras` file of it.

    Raises:
        bnlab.model.folding.FoldError: a BN layer has no layer beside it that can take it in.
        KeyError: an array of the spec's network is missing.
    """
    folded = fold(spec, weights)
    return build_trained(folded.network, spec, folded.weights)
