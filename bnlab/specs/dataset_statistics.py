"""Statistics of the datasets' training images, which advice needs before anything is trained.

Those of the datasets that bnlab knows are in `data/dataset_statistics.json`, written by `python -m bnlab statistics`;
those of files are computed by the process that needs them (`bnlab.model.dataset_statistics`).
"""

import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import TypeAdapter

from bnlab.specs.datasets import DATASETS


@dataclass(frozen=True)
class DatasetStatistics:
    """Of raw pixels (0 to 255) in all training images that a run can use.

    Attributes:
        pixel_variance: The mean over the pixels (each channel of each) of the variance over the images.
        channel_variance: The variance over all images and positions, which BN by channel divides by; the mean over the
            channels.
        pixels: The number of values of an image.
        first_varying: For each pixel that is not the same in all images, the number of images, from the first on, among
            which it first takes two values; sorted. Empty if not known.
        source: Where the numbers are from, if they were not computed from the images.
    """

    pixel_variance: float
    channel_variance: float
    pixels: int
    first_varying: tuple[int, ...]
    source: str = ""

    def constant_pixels(self, examples: int) -> int:
        """The number of pixels that are the same in the first `examples` training images."""
        return self.pixels - bisect_right(self.first_varying, examples) if self.first_varying else 0


_BY_DATASET = TypeAdapter(dict[str, DatasetStatistics])

FileStatistics = Callable[[Path], DatasetStatistics | None]
_file_statistics: list[FileStatistics] = []


def use_file_statistics(function: FileStatistics) -> None:
    """Set the function that computes the statistics of a dataset's file; this layer is without NumPy."""
    _file_statistics[:] = [function]


def statistics_of(dataset: str) -> DatasetStatistics | None:
    """The statistics of a dataset; None if they are not known."""
    known = _known().get(dataset)
    path = DATASETS[dataset].path
    if known is not None or path is None or not _file_statistics:
        return known
    return _file_statistics[0](path)


@cache
def _known() -> dict[str, DatasetStatistics]:
    return statistics_from_json((files("bnlab.specs") / "data" / "dataset_statistics.json").read_text("utf-8"))


def statistics_from_json(text: str) -> dict[str, DatasetStatistics]:
    """The statistics by dataset, as `statistics_to_json` writes them.

    Raises:
        ValueError: the text is something else.
    """
    return _BY_DATASET.validate_json(text)


def statistics_to_json(statistics: dict[str, DatasetStatistics]) -> str:
    """One line for each dataset."""
    lines = (f"{json.dumps(name)}: {json.dumps(asdict(values))}" for name, values in statistics.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"
