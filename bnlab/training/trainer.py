"""Training of one run: from a spec, or from its checkpoint, to the records and state of its last step."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.specs.run_spec import RunSpec
from bnlab.training.checkpoint import load_state, save_state
from bnlab.training.data import training_batches
from bnlab.training.evaluation import evaluate, measure_latencies, validate
from bnlab.training.program import State, program_for
from bnlab.training.records import Checkpoint, Evaluation, Records
from bnlab.training.schedule import epoch_order, evaluation_steps

CHUNK_SECONDS = 0.12
"""How long one call of the compiled program should take: it bounds how soon a stop is seen."""


Indices = NDArray[np.int32]


Steps = Callable[..., tuple[Any, ...]]


MAX_INDICES = 2**16


MAX_ROWS = 512


class Trainer:
    """A training in progress: `advance` until `finished` or `diverged`.

    Deterministic: how the steps are cut into calls of `advance`, and any number of passages through
    `checkpoint`, change no bit of the records and the state.
    """

    def __init__(self, spec: RunSpec, checkpoint: Checkpoint | None = None) -> None:
        """Start `spec`, or continue it from `checkpoint`.

        Raises:
            bnlab.specs.datasets.DatasetError: the dataset cannot be had.
        """
        self.spec = spec
        self.diverged = False
        self._program = program_for(spec)
        self._train, self._validation, self._probe = training_batches(spec)
        self._moments = evaluation_steps(spec)
        self._rows = max(1, min(MAX_ROWS, MAX_INDICES // spec.batch_size))
        self._step_seconds = 0.0
        self._compiled: set[int] = set()
        if checkpoint is None:
            self.step, self.seconds, self.state = 0, 0.0, self._program.initial_state(spec)
        else:
            self.step, self.seconds = checkpoint.step, checkpoint.seconds
            self.state = load_state(spec, checkpoint.arrays)
        self._started = checkpoint is not None

    @property
    def finished(self) -> bool:
        """Whether every step was taken."""
        return self._started and self.step >= self.spec.total_steps

    def checkpoint(self) -> Checkpoint:
        """The state and position now."""
        return Checkpoint(self.step, self.seconds, save_state(self.spec, self.state))

    def advance(self) -> Records:
        """Take the next steps, for about CHUNK_SECONDS at the most, and measure if they end at a moment.

        The first call of a new training measures step 0 and takes no step.
        """
        records = Records(self.step)
        if self._started:
            self._take_steps(records, next(moment for moment in self._moments if moment > self.step))
        self._started = True
        if self.step in self._moments and not self.diverged:
            records.moments.append(self._measure())
        return records

    def advance_to(self, step: int) -> None:
        """Take the steps up to `step`, or up to a divergence, and measure nothing.

        The epochs of the spec are no limit: after them others follow.
        """
        self._started = True
        while self.step < step and not self.diverged:
            self._take_steps(Records(self.step), step)

    def validate(self) -> tuple[float, float]:
        """Loss and accuracy on the validation images now, in inference mode."""
        return validate(self._program, self.state, self._validation)

    def latencies(self) -> dict[int, float]:
        """Seconds that the prediction of one batch takes now, by batch size."""
        return measure_latencies(self._program, self.state, self._validation)

    def _take_steps(self, records: Records, end: int) -> None:
        per_epoch, batch = self.spec.steps_per_epoch, self.spec.batch_size
        epoch, position = divmod(self.step, per_epoch)
        order = _order(self.spec, epoch)[position * batch :]
        full = len(order) // batch
        if full == 0:
            indices, count, run = order[None, :], 1, self._program.short_step
        else:
            count = min(full, self._chunk_length(), end - self.step)
            indices = np.zeros((self._rows, batch), np.int32)
            indices[:count] = order[: count * batch].reshape(count, batch)
            run = self._program.steps
        self._compile(run, indices)
        began = time.perf_counter()
        taken, trainable, non_trainable, slots, loss, accuracy = self._call(run, indices, count)
        taken = int(taken)
        records.loss, records.accuracy = loss.numpy()[:taken], accuracy.numpy()[:taken]
        elapsed = time.perf_counter() - began
        self.state = State(list(trainable), list(non_trainable), slots)
        self.step += taken
        self.seconds += elapsed
        if full:
            self._step_seconds = elapsed / taken
        self.diverged = not np.isfinite(records.loss[-1])

    def _call(self, run: Steps, indices: Indices, count: int) -> tuple[Any, ...]:
        state, data = self.state, self._train
        rate = tf.constant(self.spec.learning_rate, tf.float32)
        return run(
            state.trainable,
            state.non_trainable,
            state.slots,
            (data.images, data.labels, data.factor),
            tf.constant(indices),
            tf.constant(count),
            tf.constant([self.spec.seed, self.step]),
            rate,
        )

    def _compile(self, run: Steps, indices: Indices) -> None:
        """Compile outside the clock, by a call that takes no step."""
        if id(run) not in self._compiled:
            self._call(run, indices, 0)
            self._compiled.add(id(run))

    def _chunk_length(self) -> int:
        if self._step_seconds == 0.0:
            return min(self._rows, 4)
        return int(np.clip(CHUNK_SECONDS / self._step_seconds, 1, self._rows))

    def _measure(self) -> Evaluation:
        return evaluate(self.spec, self._program, self.state, self._validation, self._probe, self.step, self.seconds)


@lru_cache(maxsize=2)
def _order(spec: RunSpec, epoch: int) -> Indices:
    return epoch_order(spec, epoch)


def trained_states(spec: RunSpec, steps: Iterable[int]) -> Iterator[tuple[int, State]]:
    """Train `spec` and give the state after each of `steps`, in order and without repetitions.

    After a divergence the state, which holds numbers that are not finite, stays what it is.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset cannot be had.
    """
    chosen = sorted(set(steps))
    if chosen and chosen[0] < 0:
        raise ValueError(f"Steps are counted from 0, but {chosen[0]} was given.")
    training = Trainer(spec)
    for step in chosen:
        training.advance_to(step)
        yield step, training.state
