"""The statistics of a dataset's training images, computed from the arrays; see `bnlab.specs.dataset_statistics`."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnlab.model.dataset_files import FileVersion, file_version, read_description, read_file
from bnlab.model.datasets import load_arrays
from bnlab.specs.dataset_statistics import DatasetStatistics
from bnlab.specs.datasets import DatasetError
from bnlab.specs.run_spec import RunSpec

_SIGNIFICANT_DIGITS = 7


def compute_statistics(dataset: str) -> DatasetStatistics:
    """The statistics of all images that a run can train on.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    return image_statistics(load_arrays(RunSpec(dataset=dataset)).train_images)


def file_statistics(path: Path) -> DatasetStatistics | None:
    """The statistics of a file's training images, computed again when it has been replaced; None if it is unreadable.

    A failure is not cached: the file may be readable the next time.
    """
    try:
        return _file_statistics(path, file_version(path))
    except DatasetError:
        return None


@lru_cache(maxsize=32)
def _file_statistics(path: Path, _version: FileVersion) -> DatasetStatistics:
    return image_statistics(read_file(path)[0][read_description(path).holdout :])


def image_statistics(images: NDArray[np.uint8]) -> DatasetStatistics:
    """The statistics of `images` `[n, height, width]` or `[n, height, width, channels]`."""
    rows = images.reshape(len(images), -1)
    channels = images.shape[3] if images.ndim == 4 else 1
    counts = np.array([np.bincount(values, minlength=256) for values in np.ascontiguousarray(rows.T)])
    by_channel = counts.reshape(-1, channels, 256).sum(axis=0)
    varies = rows != rows[0]
    first = varies.argmax(axis=0) + 1  # 1 where a pixel never varies: two images at least are needed
    return DatasetStatistics(
        pixel_variance=_rounded(_variances(counts).mean()),
        channel_variance=_rounded(_variances(by_channel).mean()),
        pixels=rows.shape[1],
        first_varying=tuple(sorted(first[first > 1].tolist())),
    )


def _variances(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The variance of the values 0 to 255 in each row of counts `[rows, 256]`."""
    values, total = np.arange(256), counts.sum(axis=1)
    mean = counts @ values / total
    variances: NDArray[np.float64] = counts @ values**2 / total - mean**2
    return variances


def _rounded(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
