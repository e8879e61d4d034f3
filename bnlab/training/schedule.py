"""The schedule of a run: the steps of its evaluations and the order of its training examples. No TensorFlow here."""

import numpy as np
from numpy.typing import NDArray

from bnlab.specs.run_spec import RunSpec

EARLY_EVALUATIONS = 10


def evaluation_steps(spec: RunSpec) -> tuple[int, ...]:
    """The steps after which the network is evaluated, in order.

    Step 0, about EARLY_EVALUATIONS log-spaced steps within the first epoch, and the end of each epoch.
    """
    per_epoch = spec.steps_per_epoch
    early = np.geomspace(1, per_epoch, EARLY_EVALUATIONS + 1)[:-1].round().astype(int)
    epoch_ends = range(per_epoch, spec.total_steps + 1, per_epoch)
    return tuple(sorted({0, *early.tolist(), *epoch_ends}))


def epoch_order(spec: RunSpec, epoch: int) -> NDArray[np.int32]:
    """The permutation of the training examples in which epoch `epoch` (from 0) visits them."""
    order = np.random.default_rng([spec.seed, epoch]).permutation(spec.examples)
    return order.astype(np.int32)


def batch_indices(spec: RunSpec, step: int) -> NDArray[np.int32]:
    """The indices of the training examples in step `step` (from 0)."""
    epoch, position = divmod(step, spec.steps_per_epoch)
    return epoch_order(spec, epoch)[position * spec.batch_size :][: spec.batch_size]


def batch_sizes(spec: RunSpec, first: int, count: int) -> NDArray[np.int64]:
    """The number of examples in each of `count` steps from step `first` (from 0) on."""
    position = (first + np.arange(count)) % spec.steps_per_epoch
    return np.minimum(spec.batch_size, spec.examples - position * spec.batch_size)
