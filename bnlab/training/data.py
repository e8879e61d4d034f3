"""The examples a run trains on and validates on, as tensors, and single batches for measurements."""

from functools import lru_cache

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.model.datasets import load_arrays
from bnlab.specs.choices import RESCALINGS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.evaluation import PROBE_EXAMPLES
from bnlab.training.program import Batches
from bnlab.training.schedule import batch_indices

Batch = tuple[tf.Tensor, tf.Tensor]
"""Images float32 `[n, ...]`, already scaled, and labels int32 `[n]`."""


def probe_batch(spec: RunSpec) -> Batch:
    """The fixed batch of all layer measurements: the first training examples, in the dataset's order."""
    return _batch(spec, np.arange(min(PROBE_EXAMPLES, spec.examples)))


def step_batch(spec: RunSpec, step: int) -> Batch:
    """The batch that the step after `step` steps sees."""
    return _batch(spec, batch_indices(spec, step))


def _batch(spec: RunSpec, indices: NDArray[np.integer]) -> Batch:
    arrays = load_arrays(spec)
    images = tf.cast(arrays.train_images[indices], tf.float32) * tf.constant(
        RESCALINGS[spec.rescale].factor, tf.float32
    )
    return images, tf.constant(arrays.train_labels[indices])


def training_batches(spec: RunSpec) -> tuple[Batches, Batches, Batches]:
    """The training, validation and probe examples on the device."""
    images, labels, validation_images, validation_labels = load_examples(spec.dataset, spec.validation)
    factor = tf.constant(RESCALINGS[spec.rescale].factor, tf.float32)
    probe = slice(min(PROBE_EXAMPLES, spec.examples))
    return (
        Batches(images, labels, factor),
        Batches(validation_images, validation_labels, factor),
        Batches(images[probe], labels[probe], factor),
    )


@lru_cache(maxsize=2)
def load_examples(dataset: str, validation: str) -> tuple[tf.Tensor, ...]:
    """Training images and labels, validation images and labels, on the device and kept there.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
    """
    arrays = load_arrays(RunSpec(dataset=dataset, validation=validation))
    return tuple(
        tf.constant(array)
        for array in (arrays.train_images, arrays.train_labels, arrays.validation_images, arrays.validation_labels)
    )
