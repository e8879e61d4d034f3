"""Datasets in a folder: each `.npz` file in Keras's format (x_train, y_train, x_test, y_test) is one, by its file name.

A file named like a known dataset (`fashion_mnist.npz`) is the source of that one. Only headers and labels are read
until a dataset is used.

What is kept in memory of a file is kept by its path, time and size: one that is replaced is read again. A run is
identified by the name of its dataset, not by its images. So a run that has ended keeps its results when its file is
replaced, and launching its spec attaches to it, while one that is being trained goes on with the new images from its
next slice on (or fails, if their number is another one): its results then belong to neither. Give other images another
name, or delete the runs.
"""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlab.specs.datasets import PUBLISHED, Dataset, DatasetError, add_datasets

NAMES = ("x_train", "y_train", "x_test", "y_test")
MAX_CLASSES = 1_000
_MAX_NAME = 60
_UNREADABLE = (
    OSError, ValueError, EOFError, KeyError, SyntaxError, NotImplementedError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy and zipfile raise on a damaged file."""

Header = tuple[tuple[int, ...], np.dtype[Any]]
FileVersion = tuple[int, int]
"""A file's time of modification, in nanoseconds, and its size in bytes."""
Arrays = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


def register_folder(folder: Path) -> None:
    """Add the folder's datasets to `DATASETS`, and note why other `.npz` files in it are none. May be repeated.

    Raises:
        DatasetError: the folder cannot be read.
    """
    datasets: dict[str, Dataset] = {}
    unusable: dict[str, str] = {}
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".npz")
    except OSError as error:
        raise DatasetError(f"The folder {folder} of datasets (BNLAB_DATA) cannot be read: {error.strerror}.") from error
    for path in paths:
        try:
            datasets[path.stem] = read_description(path)
        except DatasetError as error:
            known = PUBLISHED.get(path.stem)
            if known is None:
                unusable[_printable(path.stem)] = _printable(str(error))
            else:  # presets have it: it stays, and raises the error where its images are needed
                datasets[path.stem] = replace(known, path=path)
    add_datasets(datasets, unusable)


def read_file(path: Path) -> Arrays:
    """x_train, y_train, x_test, y_test of a file.

    Raises:
        DatasetError: the file cannot be read, or is no dataset.
    """
    read_description(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            x_train, y_train, x_test, y_test = (arrays[name] for name in NAMES)
    except _UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read: {_reason(error)}.") from error
    return x_train, y_train, x_test, y_test


def read_description(path: Path) -> Dataset:
    """The dataset in a file, from its headers and labels.

    Raises:
        DatasetError: the file cannot be read, or is no dataset.
    """
    return _describe(path, file_version(path))


def file_version(path: Path) -> FileVersion:
    """What tells the file from one that replaces it.

    Raises:
        DatasetError: there is no such file, or its folder cannot be read.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {_reason(error)}.") from error
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=256)
def _describe(path: Path, _version: FileVersion) -> Dataset:
    name = path.stem
    if not name.isprintable() or "~" in name or len(name) > _MAX_NAME or name != name.strip():
        raise DatasetError(f"{path.name!r} is no name of a dataset: at most {_MAX_NAME} characters, without ~.")
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [array for array in NAMES if f"{array}.npy" not in archive.namelist()]
            if missing:
                raise DatasetError(_refusal(path, f"it has no {' and no '.join(missing)}"))
            headers = {array: _read_header(archive, array) for array in NAMES}
            _check_headers(path, headers)
            labels = [_read_labels(archive, array) for array in ("y_train", "y_test")]
    except _UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read: {_reason(error)}.") from error
    classes = int(max(part.max() for part in labels)) + 1
    if min(part.min() for part in labels) < 0 or not 2 <= classes <= MAX_CLASSES:
        raise DatasetError(_refusal(path, f"labels are from 0 to at least 1 and at most {MAX_CLASSES - 1}"))
    return _dataset(path, headers["x_train"][0], headers["x_test"][0][0], classes)


def _dataset(path: Path, train_shape: tuple[int, ...], test: int, classes: int) -> Dataset:
    """The entry of the registry; a known dataset must have its published shapes."""
    available, *image_shape = train_shape
    found = Dataset(path.stem, f"Images from {path.name}.", tuple(image_shape), available, test, classes, path=path)
    known = PUBLISHED.get(path.stem)
    if known is None:
        return found
    for attribute, title in (
        ("image_shape", "images of the shape"), ("available", "training images:"), ("test", "test images:"),
        ("classes", "classes:"),
    ):  # fmt: skip
        value, expected = getattr(found, attribute), getattr(known, attribute)
        if value != expected:
            raise DatasetError(_refusal(path, f"{known.title} has {title} {expected}, this file {value}"))
    return replace(known, path=path)


def _read_header(archive: zipfile.ZipFile, name: str) -> Header:
    """Shape and dtype of an array, without unpacking it."""
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    return shape, dtype


def _read_labels(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as file:
        labels: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return labels


def _check_headers(path: Path, headers: Mapping[str, Header]) -> None:
    """Raise a DatasetError if these are no images with labels."""
    for part in ("train", "test"):
        (shape, dtype), (label_shape, label_dtype) = headers[f"x_{part}"], headers[f"y_{part}"]
        if dtype != np.uint8:
            raise DatasetError(_refusal(path, f"x_{part} is of {dtype}, but pixels are uint8, from 0 to 255"))
        if len(shape) not in (3, 4) or 0 in shape:
            raise DatasetError(
                _refusal(
                    path, f"x_{part} has the shape {shape}, but images have (number, height, width) or one axis more"
                )
            )
        if label_dtype.kind not in "iu" or label_shape not in ((shape[0],), (shape[0], 1)):
            raise DatasetError(
                _refusal(path, f"y_{part} is {label_dtype} {label_shape}, but {shape[0]:,} whole numbers are needed")
            )
    if headers["x_train"][0][1:] != headers["x_test"][0][1:]:
        raise DatasetError(_refusal(path, "the images in x_train and x_test have different shapes"))
    if headers["x_train"][0][0] < 2:
        raise DatasetError(_refusal(path, "one image is left aside and one at least is needed for training"))


def _printable(text: str) -> str:
    """`text` without what terminals and pages cannot show of a file's name: bytes that are no UTF-8, line breaks."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _refusal(path: Path, reason: str) -> str:
    return f"{path.name} is no dataset for bnlab: {reason}."


def _reason(error: BaseException) -> str:
    """A few words on what is wrong with a file."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"it is damaged or no .npz file ({type(error).__name__})"
