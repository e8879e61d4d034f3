"""The datasets' arrays. Images are uint8; the training program scales them."""

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
    """The images and labels that `spec` trains and validates on. Training images start after the held-out ones.

    Raises:
        DatasetError: the dataset is not on this machine and could not be downloaded.
    """
    x_train, y_train, x_val, y_val = _load_published(spec.dataset)
    if spec.validation == "holdout":
        x_val, y_val = x_train[:HOLDOUT], y_train[:HOLDOUT]
    training = slice(HOLDOUT, HOLDOUT + spec.examples)
    return Arrays(x_train[training], y_train[training], x_val, y_val)


@lru_cache(maxsize=2)
def _load_published(name: str) -> tuple[Images, Labels, Images, Labels]:
    """All training and test images of a dataset, with their labels."""
    (x_train, y_train), (x_test, y_test) = _load_mnist() if name == "mnist" else _download(name)
    return x_train, _flatten_labels(y_train), x_test, _flatten_labels(y_test)


def _flatten_labels(labels: NDArray[np.generic]) -> Labels:
    """Labels `[n]` int32 from `[n]` or `[n, 1]` of any integer type."""
    return labels.reshape(-1).astype(np.int32)


def _load_mnist() -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    with as_file(files("bnlab.model") / "data" / "mnist.npz") as path, np.load(path) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _download(name: str) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    try:
        return getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras does not wrap the exceptions of urllib, http and tarfile
        raise DatasetError(
            f"{DATASETS[name].title} is not on this machine and could not be downloaded; "
            "connect to the internet once, or choose MNIST, which ships with bnlab."
        ) from error
