"""A Keras model from the plain description of its network."""

from typing import Any

import keras
import numpy as np

from bnlab.spec.choices import INITIALIZERS
from bnlab.spec.network import Layer, describe_network
from bnlab.spec.run_spec import RunSpec


def build_model(spec: RunSpec) -> keras.Sequential:
    """The model of `spec` with its initial weights, input `[batch, *image_shape]`, output the softmax.

    Each kernel is drawn from the spec's seed and the Dense layer's place among the Dense layers, so that
    specs which differ only in normalization start from the same kernels wherever shapes agree.
    """
    network = describe_network(spec)
    dense = [layer.name for layer in network.layers if layer.keras_class == "Dense"]
    places = {name: place for place, name in enumerate(dense)}
    layers = [_build_layer(layer, spec, places.get(layer.name, 0)) for layer in network.layers]
    # All at once: `add` would build the model anew for each layer.
    return keras.Sequential([keras.Input(network.input_shape), *layers])


def _build_layer(layer: Layer, spec: RunSpec, place: int) -> keras.Layer:
    config = dict(layer.config)
    if layer.keras_class == "Dense":
        # Keras's default where the description names none: the output layer.
        name = config.get("kernel_initializer", "glorot_uniform")
        config["kernel_initializer"] = _build_initializer(name, spec, place)
    return getattr(keras.layers, layer.keras_class)(name=layer.name, **config)


def _build_initializer(name: str, spec: RunSpec, place: int) -> keras.Initializer:
    initializer = INITIALIZERS[name]
    arguments: dict[str, Any] = {}
    if initializer.takes_seed:
        arguments["seed"] = int(np.random.SeedSequence([spec.seed, place]).generate_state(1)[0] >> 1)
    if initializer.takes_stddev:
        arguments["stddev"] = spec.initializer_stddev
    return getattr(keras.initializers, initializer.keras_class)(**arguments)
