"""A run's weights as a `.keras` file, which opens wherever Keras does."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from numpy.typing import NDArray

from bnlab.model.build import build_trained
from bnlab.specs.choices import OPTIMIZERS
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec


def trained_model_file(spec: RunSpec, weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """The content of a `.keras` file: the spec's network with `weights`, compiled to be evaluated or trained on.

    `weights` are named as in a checkpoint (`dense_1/kernel`, `bn_1/moving_mean`); other names are ignored.

    Raises:
        KeyError: an array of the spec's network is missing.
    """
    spec = spec.model_copy(update={"noise": False})  # it is drawn in bnlab's training alone, and plain Keras has none
    return model_file(spec, build_trained(describe_network(spec), spec, weights))


def model_file(spec: RunSpec, model: keras.Sequential) -> bytes:
    """The content of a `.keras` file with `model`, which is compiled with the spec's optimizer for it."""
    model.compile(_build_optimizer(spec, model), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    with TemporaryDirectory(prefix="bnlab-") as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def _build_optimizer(spec: RunSpec, model: keras.Sequential) -> keras.Optimizer:
    optimizer = OPTIMIZERS[spec.optimizer]
    built = getattr(keras.optimizers, optimizer.keras_class)(learning_rate=spec.learning_rate, **optimizer.config)
    built.build(model.trainable_variables)  # Keras warns of an optimizer that was saved unbuilt
    return built
