"""The datasets' arrays. Images are uint8; the training program scales them."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from bnlab.model.dataset_files import FileVersion, file_version, read_file
from bnlab.model.downloads import download_dataset
from bnlab.specs.datasets import DATASETS, Dataset
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
        bnlab.specs.datasets.DatasetError: the dataset is not on this machine and could not be downloaded.
    """
    x_train, y_train, x_val, y_val = load_published(spec.dataset)
    holdout = spec.data.holdout
    if spec.validation == "holdout":
        x_val, y_val = x_train[:holdout], y_train[:holdout]
    training = slice(holdout, holdout + spec.examples)
    return Arrays(x_train[training], y_train[training], x_val, y_val)


@dataclass(frozen=True)
class DatasetVersion:
    """A dataset as it is now: equal versions have the same images (see `bnlab.model.dataset_files`)."""

    name: str
    dataset: Dataset
    file: FileVersion | None


def dataset_version(name: str) -> DatasetVersion:
    """The version of the dataset, by which caches of its images are kept.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset's file is gone.
    """
    dataset = DATASETS[name]
    return DatasetVersion(name, dataset, None if dataset.path is None else file_version(dataset.path))


def load_published(name: str) -> tuple[Images, Labels, Images, Labels]:
    """All training and test images of a dataset, with their labels; read again when its file has been replaced.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset is not on this machine and could not be downloaded.
    """
    return _load(dataset_version(name))


@lru_cache(maxsize=2)
def _load(version: DatasetVersion) -> tuple[Images, Labels, Images, Labels]:
    name, dataset = version.name, version.dataset
    if dataset.path is not None:
        arrays = read_file(dataset.path)
    elif dataset.downloads:
        arrays = download_dataset(dataset)
    else:
        with as_file(files("bnlab.model") / "data" / f"{name}.npz") as path:
            arrays = read_file(path)
    x_train, y_train, x_test, y_test = arrays
    return x_train, _flatten_labels(y_train), x_test, _flatten_labels(y_test)


def _flatten_labels(labels: NDArray[np.generic]) -> Labels:
    """Labels `[n]` int32 from `[n]` or `[n, 1]` of any integer type."""
    return labels.reshape(-1).astype(np.int32)
