"""Tables of a network's layers and variables, and its parameters counted in a sentence."""

from collections.abc import Sequence

import pandas as pd

from bnlab.specs.network import Layer, Network


def summary_frame(network: Network) -> pd.DataFrame:
    """One row per layer, from the input on: layer, class, output_shape, params, trainable, non_trainable."""
    columns = ["layer", "class", "output_shape", "params", "trainable", "non_trainable"]
    rows = [
        (layer.name, layer.keras_class, str(layer.output_shape), layer.params, layer.trainable, layer.non_trainable)
        for layer in network.layers
    ]
    return pd.DataFrame(rows, columns=columns)


def variables_frame(network: Network) -> pd.DataFrame:
    """One row per variable of every normalization layer: name, shape, trainable, params."""
    rows = [
        (f"{layer.name}/{variable.name}", str(variable.shape), variable.trainable, variable.size)
        for layer in network.normalizations
        for variable in layer.variables
    ]
    return pd.DataFrame(rows, columns=["name", "shape", "trainable", "params"])


def parameter_text(layer: Layer) -> str:
    """A normalization layer's parameters counted: 4 × 784 = 3,136 with all four variables."""
    units = layer.output_shape[-1]
    trainable = [variable.name for variable in layer.variables if variable.trainable]
    fixed = [variable.name for variable in layer.variables if not variable.trainable]
    total = f"{len(layer.variables)} × {units:,} = {layer.params:,} parameters"
    if not layer.variables:
        return "no parameters."
    if not trainable or not fixed:
        return f"{total}: {'all are' if trainable else 'none is'} trainable."
    return (
        f"{total}: {_names_text(trainable)} {_are(trainable)} trainable ({layer.trainable:,}), "
        f"{_names_text(fixed)} {_are(fixed)} not ({layer.non_trainable:,})."
    )


def _names_text(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _are(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"
