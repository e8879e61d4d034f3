"""The arrays of each dataset: images stay uint8, scaled only inside the training program."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files

import keras
import numpy as np
from numpy.typing import NDArray

from bnlab.specs.datasets import DATASETS, HOLDOUT, DatasetError
from bnlab.specs.run_spec import RunSpec

Images = NDArray[np.uint8]
Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Arrays:
    """Images `[n, *image_shape]` uint8 and labels `[n]` int32, for training and for validation."""

    train_images: Images
    train_labels: Labels
    validation_images: Images
    validation_labels: Labels


def load_arrays(spec: RunSpec) -> Arrays:
    """What `spec` trains and validates on; the training images start after the held-out ones.

    Raises:
        DatasetError: the dataset is neither here nor downloadable.
    """
    x_train, y_train, x_test, y_test = _published(spec.dataset)
    chosen = slice(HOLDOUT, HOLDOUT + spec.examples)
    if spec.validation == "holdout":
        x_test, y_test = x_train[:HOLDOUT], y_train[:HOLDOUT]
    return Arrays(x_train[chosen], y_train[chosen], x_test, y_test)


@lru_cache(maxsize=2)
def _published(name: str) -> tuple[Images, Labels, Images, Labels]:
    loader = _LOADERS.get(name) or _downloader(name)
    (x_train, y_train), (x_test, y_test) = loader()
    return x_train, _flat(y_train), x_test, _flat(y_test)


def _flat(labels: NDArray[np.generic]) -> Labels:
    return labels.reshape(-1).astype(np.int32)


def _load_mnist() -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    with as_file(files("bnlab.model") / "data" / "mnist.npz") as path, np.load(path) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _downloader(name: str) -> Callable[[], tuple[tuple[Images, Labels], tuple[Images, Labels]]]:
    def load() -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
        try:
            return getattr(keras.datasets, name).load_data()
        except Exception as error:  # keras lets urllib's, http's and tarfile's errors through alike
            raise DatasetError(
                f"{DATASETS[name].title} is not on this machine and could not be downloaded; "
                "connect to the internet once, or choose MNIST, which ships with bnlab."
            ) from error

    return load


_LOADERS = {"mnist": _load_mnist}
