"""The datasets: shapes and sizes, without the arrays (see `bnlab.model.datasets`)."""

from dataclasses import dataclass

from bnlab.specs.choices import Choice

HOLDOUT = 5_000
"""How many of the first training images the notebook sets aside (`X_train_full[:5000]`) and never uses."""


class DatasetError(RuntimeError):
    """A dataset that could not be loaded; `str()` is one sentence for the user.

    Defined here so that the app can catch it without importing Keras.
    """


@dataclass(frozen=True)
class Dataset(Choice):
    """Images (uint8, `image_shape`), each with one of `classes` labels.

    `available` is the number of published training images; the first `HOLDOUT` of them are never trained on. `test` is
    the number of test images.
    """

    image_shape: tuple[int, ...]
    available: int
    test: int
    classes: int = 10

    @property
    def train(self) -> int:
        """The number of images that a run can train on."""
        return self.available - HOLDOUT


DATASETS: dict[str, Dataset] = {
    "mnist": Dataset("MNIST", "Handwritten digits; ships with bnlab.", (28, 28), 60_000, 10_000),
    "fashion_mnist": Dataset(
        "Fashion-MNIST", "Clothes in MNIST's format; downloaded on first use.", (28, 28), 60_000, 10_000
    ),
    "cifar10": Dataset("CIFAR-10", "Small colour photographs; downloaded on first use.", (32, 32, 3), 50_000, 10_000),
}
