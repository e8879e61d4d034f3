"""The examples of a run as tensors: its training, validation and probe sets, and single scaled batches.

The probe batch is the fixed batch on which all layers are measured: the first PROBE_EXAMPLES training examples, in the
dataset's order.
"""

from functools import lru_cache

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.model.datasets import DatasetVersion, dataset_version, load_arrays
from bnlab.specs.choices import RESCALINGS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.program import Batches
from bnlab.training.schedule import batch_indices

PROBE_EXAMPLES = 128
STATISTICS_IMAGES = 10_000
"""Of the training images that statistics are re-estimated from; Wu and Johnson (2021) need 1,000 to 10,000."""

Batch = tuple[tf.Tensor, tf.Tensor]
"""Scaled images, float32 `[n, ...]`, and labels, int32 `[n]`."""


def training_batches(spec: RunSpec) -> tuple[Batches, Batches, Batches]:
    """The training, validation and probe examples on the device.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    images, labels, validation_images, validation_labels = load_examples(spec.dataset, spec.validation)
    factor = tf.constant(RESCALINGS[spec.rescale].factor, tf.float32)
    probe = slice(min(PROBE_EXAMPLES, spec.examples))
    return (
        Batches(images, labels, factor),
        Batches(validation_images, validation_labels, factor),
        Batches(images[probe], labels[probe], factor),
    )


def statistics_batches(spec: RunSpec) -> tuple[Batches, Batches]:
    """Up to STATISTICS_IMAGES of the run's training examples, and all validation examples, both shuffled.

    The order is the same for all seeds; without it, batches of a sorted dataset would have a class each.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    train, validation, _ = training_batches(spec)
    return (
        _shuffled(train, min(spec.examples, train.images.shape[0]), STATISTICS_IMAGES),
        _shuffled(validation, validation.images.shape[0]),
    )


def _shuffled(data: Batches, examples: int, count: int | None = None) -> Batches:
    """`count` (or all) of the first `examples` examples, in an order that depends on their number alone."""
    order = np.random.default_rng(0).permutation(examples)[:count]
    return Batches(tf.gather(data.images, order), tf.gather(data.labels, order), data.factor)


def load_examples(dataset: str, validation: str) -> tuple[tf.Tensor, ...]:
    """Training images and labels, validation images and labels, as tensors shared by all runs of the process.

    They are read again when the dataset's file has been replaced.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    return _load_examples(dataset, validation, dataset_version(dataset))


@lru_cache(maxsize=2)
def _load_examples(dataset: str, validation: str, _version: DatasetVersion) -> tuple[tf.Tensor, ...]:
    arrays = load_arrays(RunSpec(dataset=dataset, validation=validation))
    return tuple(
        tf.constant(array)
        for array in (arrays.train_images, arrays.train_labels, arrays.validation_images, arrays.validation_labels)
    )


def probe_batch(spec: RunSpec) -> Batch:
    """The probe batch, scaled."""
    return _batch(spec, np.arange(min(PROBE_EXAMPLES, spec.examples)))


def step_batch(spec: RunSpec, step: int) -> Batch:
    """The batch of step `step` (from 0), scaled."""
    return _batch(spec, batch_indices(spec, step))


def _batch(spec: RunSpec, indices: NDArray[np.integer]) -> Batch:
    arrays = load_arrays(spec)
    factor = tf.constant(RESCALINGS[spec.rescale].factor, tf.float32)
    images = tf.cast(arrays.train_images[indices], tf.float32) * factor
    return images, tf.constant(arrays.train_labels[indices])
