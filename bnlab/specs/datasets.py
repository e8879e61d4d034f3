"""The datasets: shapes, sizes and sources, without the arrays (see `bnlab.model.datasets`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import PydanticCustomError

from bnlab.specs.choices import Choice

HOLDOUT = 5_000
"""How many of the first training images the notebook sets aside (`X_train_full[:5000]`) and never uses."""


class DatasetError(RuntimeError):
    """A dataset that could not be loaded; `str()` is one sentence for the user.

    Defined here so that the app can catch it without importing Keras.
    """


@dataclass(frozen=True)
class Download:
    """A file of a dataset on the web.

    Attributes:
        url: Its address.
        name: Where Keras keeps it, relative to `datasets` in its folder.
        sha256: The hash of its content; of a `.gz` file, of what it unpacks to.
    """

    url: str
    name: str
    sha256: str


@dataclass(frozen=True)
class Dataset(Choice):
    """Images (uint8, `image_shape`), each with one of `classes` labels.

    `available` is the number of published training images; the first `holdout` of them are never trained on. `test` is
    the number of test images. They are read from `path`, an `.npz` file in Keras's format (arrays x_train, y_train,
    x_test, y_test), or else from the `downloads`, in Keras's order, or else from bnlab itself, which ships them.
    """

    image_shape: tuple[int, ...]
    available: int
    test: int
    classes: int = 10
    downloads: tuple[Download, ...] = ()
    path: Path | None = None

    @property
    def holdout(self) -> int:
        """The number of training images set aside: HOLDOUT, but at most a tenth of a small dataset."""
        return min(HOLDOUT, max(1, self.available // 10))

    @property
    def train(self) -> int:
        """The number of images that a run can train on."""
        return self.available - self.holdout


_FASHION = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"

PUBLISHED: dict[str, Dataset] = {
    "mnist": Dataset("MNIST", "Handwritten digits; ships with bnlab.", (28, 28), 60_000, 10_000),
    "fashion_mnist": Dataset(
        "Fashion-MNIST",
        "Clothes in MNIST's format; downloaded on first use.",
        (28, 28),
        60_000,
        10_000,
        downloads=tuple(
            Download(f"{_FASHION}/{name}.gz", f"fashion-mnist/{name}.gz", sha256)
            for name, sha256 in (
                ("train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
                ("train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
                ("t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
                ("t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
            )
        ),
    ),
    "cifar10": Dataset(
        "CIFAR-10",
        "Small color photographs; downloaded on first use.",
        (32, 32, 3),
        50_000,
        10_000,
        downloads=(
            Download(
                "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
                "cifar-10-batches-py-target_archive",
                "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            ),
        ),
    ),
}
"""The datasets that bnlab knows, by Keras's name."""

DATASETS: dict[str, Dataset] = dict(PUBLISHED)
"""All datasets by id. Those in the folder of `BNLAB_DATA` are added when the program starts, by `add_datasets`."""

UNUSABLE_DATASET = "unusable_dataset"
"""The type of pydantic's error if a dataset is in `UNUSABLE`; its message is the sentence."""

UNUSABLE: dict[str, str] = {}
"""Why a dataset with this id cannot be used: one sentence for the user about its file."""


def add_datasets(datasets: Mapping[str, Dataset], unusable: Mapping[str, str]) -> None:
    """Add or replace datasets, and note which files cannot be used as one.

    A dataset is never removed, since specs with it may be in use.
    """
    DATASETS.update(datasets)
    for name in datasets:
        UNUSABLE.pop(name, None)
    UNUSABLE.update(unusable)


def check_dataset(name: str) -> str:
    """A pydantic validator that accepts the ids of usable datasets."""
    if name in UNUSABLE:
        raise PydanticCustomError(UNUSABLE_DATASET, "{sentence}", {"sentence": UNUSABLE[name]})
    if name not in DATASETS:
        raise ValueError("must be one of " + ", ".join(DATASETS))
    return name
