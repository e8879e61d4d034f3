"""A trained network without its BN layers, as a Keras model."""

import keras

from bnlab.model.build import build_trained
from bnlab.model.fold import Weights, fold
from bnlab.spec.run_spec import RunSpec


def build_folded(spec: RunSpec, weights: Weights) -> keras.Sequential:
    """The Keras model that predicts what the spec's network with `weights` does, without its BN layers.

    `bnlab.model.saved_model.model_file` makes a `.keras` file of it.

    Raises:
        bnlab.model.fold.FoldError: a BN layer has no layer beside it that can take it in.
        KeyError: an array of the spec's network is missing.
    """
    folded = fold(spec, weights)
    return build_trained(folded.network, spec, folded.weights)
