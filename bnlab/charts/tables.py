"""A network's layers and variables as the notebook prints them, and how its parameters are counted."""

import pandas as pd

from bnlab.specs.network import Layer, Network


def summary_frame(network: Network) -> pd.DataFrame:
    """Columns layer, class, output_shape, params, trainable, non_trainable: one row a layer, from the input on."""
    columns = ["layer", "class", "output_shape", "params", "trainable", "non_trainable"]
    rows = [
        (layer.name, layer.keras_class, str(layer.output_shape), layer.params, layer.trainable, layer.non_trainable)
        for layer in network.layers
    ]
    return pd.DataFrame(rows, columns=columns)


def variables_frame(network: Network) -> pd.DataFrame:
    """Columns name, shape, trainable, params: the notebook's `bn.variables` of every normalization layer."""
    rows = [
        (f"{layer.name}/{variable.name}", str(variable.shape), variable.trainable, variable.size)
        for layer in network.normalizations
        for variable in layer.variables
    ]
    return pd.DataFrame(rows, columns=["name", "shape", "trainable", "params"])


def parameter_text(layer: Layer) -> str:
    """How a normalization layer's parameters are counted: 4 × 784 = 3,136 with all four variables."""
    units = layer.output_shape[-1]
    learned = [v.name for v in layer.variables if v.trainable]
    kept = [v.name for v in layer.variables if not v.trainable]
    total = f"{len(layer.variables)} × {units:,} = {layer.params:,} parameters"
    if not layer.variables:
        return "no parameters."
    if not learned or not kept:
        return f"{total}: {'all are' if learned else 'none is'} trainable."
    trainable = f"{_listed(learned)} {'are' if len(learned) > 1 else 'is'} trainable ({layer.trainable:,})"
    return f"{total}: {trainable}, {_listed(kept)} {'are' if len(kept) > 1 else 'is'} not ({layer.non_trainable:,})."


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
