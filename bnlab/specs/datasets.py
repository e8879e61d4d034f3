"""What is known of each dataset before it is loaded: shapes and sizes, no arrays."""

from dataclasses import dataclass

from bnlab.specs.choices import Choice

HOLDOUT = 5_000
"""The first training images, which the notebook sets aside (`X_train_full[:5000]`) and never uses."""


class DatasetError(RuntimeError):
    """A dataset that cannot be had; `str()` is one sentence for the user.

    Workers raise it and the app reads it, which must not import what loads datasets for that.
    """


@dataclass(frozen=True)
class Dataset(Choice):
    """Images (uint8, `image_shape`) with one label of `classes` each.

    `available` counts the published training images; the first `HOLDOUT` are never trained on.
    """

    image_shape: tuple[int, ...]
    available: int
    test: int
    classes: int = 10

    @property
    def train(self) -> int:
        """How many images a run can train on."""
        return self.available - HOLDOUT


DATASETS: dict[str, Dataset] = {
    "mnist": Dataset("MNIST", "Handwritten digits; ships with bnlab.", (28, 28), 60_000, 10_000),
    "fashion_mnist": Dataset(
        "Fashion-MNIST", "Clothes in MNIST's format; downloaded on first use.", (28, 28), 60_000, 10_000
    ),
    "cifar10": Dataset("CIFAR-10", "Small colour photographs; downloaded on first use.", (32, 32, 3), 50_000, 10_000),
}
