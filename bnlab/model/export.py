"""Models as `.keras` files, which plain Keras can load."""

from pathlib import Path
from tempfile import TemporaryDirectory

import keras

from bnlab.model.build import build_trained
from bnlab.model.folding import Weights
from bnlab.specs.choices import OPTIMIZERS
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import RunSpec


def trained_model_file(spec: RunSpec, weights: Weights) -> bytes:
    """A `.keras` file of the spec's network with `weights`, compiled so that it can be evaluated or trained further.

    `weights` are named as in a checkpoint (`dense_1/kernel`, `bn_1/moving_mean`); other names are ignored. Noise layers
    are left out: Keras does not have them, and they do nothing at inference.

    Raises:
        KeyError: an array of the spec's network is missing.
    """
    spec = spec.model_copy(update={"noise": False})
    return model_file(spec, build_trained(describe_network(spec), spec, weights))


def model_file(spec: RunSpec, model: keras.Sequential) -> bytes:
    """A `.keras` file of `model`, compiled with the spec's optimizer."""
    model.compile(_build_optimizer(spec, model), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    with TemporaryDirectory(prefix="bnlab-") as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def _build_optimizer(spec: RunSpec, model: keras.Sequential) -> keras.Optimizer:
    optimizer = OPTIMIZERS[spec.optimizer]
    keras_optimizer = getattr(keras.optimizers, optimizer.keras_class)(
        learning_rate=spec.learning_rate, **optimizer.config
    )
    keras_optimizer.build(model.trainable_variables)  # Keras warns when it loads an optimizer that was not built
    return keras_optimizer
