"""Single batches for measurements outside the compiled program, scaled as the network takes them."""

from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.model.datasets import load_arrays
from bnlab.spec.choices import RESCALINGS
from bnlab.spec.run_spec import RunSpec
from bnlab.training.probes import PROBE_EXAMPLES
from bnlab.training.program import State
from bnlab.training.schedule import batch_indices
from bnlab.training.training import Training

Batch = tuple[tf.Tensor, tf.Tensor]
"""Images float32 `[n, ...]`, already scaled, and labels int32 `[n]`."""


def probe_batch(spec: RunSpec) -> Batch:
    """The fixed batch of all layer measurements: the first training examples, in the dataset's order."""
    return _batch(spec, np.arange(min(PROBE_EXAMPLES, spec.examples)))


def step_batch(spec: RunSpec, step: int) -> Batch:
    """The batch that the step after `step` steps sees."""
    return _batch(spec, batch_indices(spec, step))


def trained_states(spec: RunSpec, steps: Iterable[int]) -> Iterator[tuple[int, State]]:
    """Train `spec` and give the state after each of `steps`, in order and without repetitions.

    After a divergence the state, which holds numbers that are not finite, stays what it is.

    Raises:
        ValueError: a step is negative.
        bnlab.spec.datasets.DatasetError: the dataset cannot be had.
    """
    chosen = sorted(set(steps))
    if chosen and chosen[0] < 0:
        raise ValueError(f"Steps are counted from 0, but {chosen[0]} was given.")
    training = Training(spec)
    for step in chosen:
        training.advance_to(step)
        yield step, training.state


def _batch(spec: RunSpec, indices: NDArray[np.integer]) -> Batch:
    arrays = load_arrays(spec)
    images = tf.cast(arrays.train_images[indices], tf.float32) * tf.constant(
        RESCALINGS[spec.rescale].factor, tf.float32
    )
    return images, tf.constant(arrays.train_labels[indices])
