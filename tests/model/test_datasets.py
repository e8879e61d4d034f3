"""Datasets: MNIST's bytes and held-out images."""

import hashlib

import numpy as np

from bnlab.model.datasets import load_arrays
from bnlab.specs.datasets import HOLDOUT
from bnlab.specs.run_spec import RunSpec

# SHA-256 of the arrays in the mnist.npz that keras.datasets.mnist downloads, with labels as uint8.
PUBLISHED = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def test_mnist_is_the_published_dataset() -> None:
    test, holdout = load_arrays(RunSpec()), load_arrays(RunSpec(validation="holdout"))
    arrays = {
        "x_train": np.concatenate([holdout.validation_images, test.train_images]),
        "y_train": np.concatenate([holdout.validation_labels, test.train_labels]).astype(np.uint8),
        "x_test": test.validation_images,
        "y_test": test.validation_labels.astype(np.uint8),
    }
    assert {name: sha256(array) for name, array in arrays.items()} == PUBLISHED


def test_shapes_and_types() -> None:
    arrays = load_arrays(RunSpec())
    assert (arrays.train_images.shape, arrays.validation_images.shape) == ((55_000, 28, 28), (10_000, 28, 28))
    assert (arrays.train_labels.shape, arrays.validation_labels.shape) == ((55_000,), (10_000,))
    assert arrays.train_images.dtype == arrays.validation_images.dtype == np.uint8
    assert arrays.train_labels.dtype == arrays.validation_labels.dtype == np.int32
    assert set(arrays.train_labels) == set(range(10))


def test_train_examples_limits_the_training_images() -> None:
    everything, few = load_arrays(RunSpec()), load_arrays(RunSpec(train_examples=7))
    np.testing.assert_array_equal(few.train_images, everything.train_images[:7])
    np.testing.assert_array_equal(few.train_labels, everything.train_labels[:7])
    assert len(few.validation_images) == 10_000


def test_held_out_images_are_not_training_images() -> None:
    arrays = load_arrays(RunSpec(validation="holdout"))
    assert len(arrays.validation_images) == len(arrays.validation_labels) == HOLDOUT
    assert len(arrays.train_images) == 55_000
    assert not np.shares_memory(arrays.train_images, arrays.validation_images)
    held_out = {image.tobytes() for image in arrays.validation_images}
    assert not any(image.tobytes() in held_out for image in arrays.train_images)
