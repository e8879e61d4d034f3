"""Training of one run, from its spec or a checkpoint, chunk by chunk."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.specs.choices import EVALUATION_METHODS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.checkpoint import load_state, save_state
from bnlab.training.data import training_batches
from bnlab.training.evaluation import evaluate, validate
from bnlab.training.program import State, program_for
from bnlab.training.records import Checkpoint, Evaluation, Records
from bnlab.training.schedule import epoch_order, evaluation_steps
from bnlab.training.statistics import StatisticsComparison

CHUNK_SECONDS = 0.12
"""Target duration of one call of the compiled program, and so the delay until a stop request is noticed."""
MAX_CHUNK_STEPS = 512
MAX_CHUNK_EXAMPLES = 2**16
FIRST_CHUNK_STEPS = 1
"""Steps of the first call of a new run, whose steps may take long: stop requests are noticed between two calls."""

Indices = NDArray[np.int32]
Steps = Callable[..., tuple[Any, ...]]
"""A compiled function of `Program`: `steps` or `short_step`."""


class Trainer:
    """A training in progress: call `advance` until `finished` or `diverged`.

    Deterministic: neither the lengths of the chunks nor resuming from a checkpoint changes a bit of the records or of
    the state.

    Attributes:
        spec: What is trained.
        step: The number of steps taken.
        seconds: The time spent in these steps, without compiling and evaluating.
        setup_seconds: The time that this trainer has spent in first calls, which compile.
        state: The weights, moving statistics and optimizer slots after these steps.
        diverged: Whether the loss of the last step is not finite.
    """

    def __init__(self, spec: RunSpec, checkpoint: Checkpoint | None = None) -> None:
        """Start `spec`, or resume it from `checkpoint`.

        Raises:
            bnlab.specs.datasets.DatasetError: the dataset is not available.
        """
        self.spec = spec
        self.diverged = False
        self._program = program_for(spec)
        self._train, self._validation, self._probe = training_batches(spec)
        self._evaluation_steps = evaluation_steps(spec)
        compares = EVALUATION_METHODS[spec.evaluate_with].compares_statistics
        self._comparison = StatisticsComparison(spec) if compares else None
        self._max_chunk_steps = max(1, min(MAX_CHUNK_STEPS, MAX_CHUNK_EXAMPLES // spec.batch_size))
        self.setup_seconds = 0.0
        self._step_seconds = 0.0
        self._compiled: set[int] = set()
        if checkpoint is None:
            self.step, self.seconds, self.state = 0, 0.0, self._program.initial_state(spec)
        else:
            self.step, self.seconds = checkpoint.step, checkpoint.seconds
            self.state = load_state(spec, checkpoint.arrays)
            self._step_seconds = checkpoint.seconds / checkpoint.step if checkpoint.step else 0.0
        self._started = checkpoint is not None

    @property
    def finished(self) -> bool:
        """Whether all steps of the spec are taken."""
        return self._started and self.step >= self.spec.total_steps

    def checkpoint(self) -> Checkpoint:
        """A checkpoint of the current state."""
        return Checkpoint(self.step, self.seconds, save_state(self.spec, self.state))

    def advance(self) -> Records:
        """Take steps for about CHUNK_SECONDS, at most up to the next evaluation, and evaluate if it is reached.

        The first call of a new training evaluates step 0 and takes no step.
        """
        records = Records(self.step)
        if self._started:
            self._take_steps(records, next(step for step in self._evaluation_steps if step > self.step))
        self._started = True
        if self.step in self._evaluation_steps and not self.diverged:
            records.evaluations.append(self._evaluate())
        return records

    def advance_to(self, step: int) -> None:
        """Train up to `step`, or until the loss diverges, without evaluations.

        `step` may exceed the spec's total steps: further epochs follow.
        """
        self._started = True
        while self.step < step and not self.diverged:
            self._take_steps(Records(self.step), step)

    def validate(self) -> tuple[float, float]:
        """Mean loss and accuracy on the validation images in the current state, in inference mode."""
        return validate(self._program, self.state, self._validation)

    def _take_steps(self, records: Records, end: int) -> None:
        """Take one chunk of steps, at most up to step `end` and the end of the epoch, and write it to `records`."""
        batch_size = self.spec.batch_size
        epoch, position = divmod(self.step, self.spec.steps_per_epoch)
        remaining = _cached_epoch_order(self.spec, self.spec.examples, epoch)[position * batch_size :]
        full_batches = len(remaining) // batch_size
        if full_batches == 0:
            indices, count, steps = remaining[None, :], 1, self._program.short_step
        else:
            # The shape is the same for every length of a chunk, so that one compilation serves all.
            count = min(full_batches, self._chunk_steps(), end - self.step)
            indices = np.zeros((self._max_chunk_steps, batch_size), np.int32)
            indices[:count] = remaining[: count * batch_size].reshape(count, batch_size)
            steps = self._program.steps
        self._compile(steps, indices)
        start = time.perf_counter()
        taken, trainable, non_trainable, slots, loss, accuracy = self._call(steps, indices, count)
        taken = int(taken)
        records.loss, records.accuracy = loss.numpy()[:taken], accuracy.numpy()[:taken]
        elapsed = time.perf_counter() - start
        self.state = State(list(trainable), list(non_trainable), slots)
        self.step += taken
        self.seconds += elapsed
        if full_batches:
            self._step_seconds = elapsed / taken
        self.diverged = not np.isfinite(records.loss[-1])

    def _chunk_steps(self) -> int:
        if self._step_seconds == 0.0:
            return min(self._max_chunk_steps, FIRST_CHUNK_STEPS)
        return int(np.clip(CHUNK_SECONDS / self._step_seconds, 1, self._max_chunk_steps))

    def _compile(self, steps: Steps, indices: Indices) -> None:
        """Compile by a call that takes no step, so that `seconds` does not include it."""
        if id(steps) not in self._compiled:
            start = time.perf_counter()
            self._call(steps, indices, 0)
            self.setup_seconds += time.perf_counter() - start
            self._compiled.add(id(steps))

    def _call(self, steps: Steps, indices: Indices, count: int) -> tuple[Any, ...]:
        state, data = self.state, self._train
        return steps(
            state.trainable,
            state.non_trainable,
            state.slots,
            (data.images, data.labels, data.factor),
            tf.constant(indices),
            tf.constant(count),
            tf.constant([self.spec.seed, self.step]),
            tf.constant(self.spec.learning_rate, tf.float32),
        )

    def _evaluate(self) -> Evaluation:
        start = time.perf_counter()
        result = evaluate(self.spec, self._program, self.state, self._validation, self._probe, self.step, self.seconds)
        if self._comparison is not None:
            result = self._comparison.extend(result, self.state)
        if self.step == 0:  # when the functions that evaluate are compiled
            self.setup_seconds += time.perf_counter() - start
        return result


@lru_cache(maxsize=2)
def _cached_epoch_order(spec: RunSpec, _examples: int, epoch: int) -> Indices:
    return epoch_order(spec, epoch)


def trained_states(spec: RunSpec, steps: Iterable[int]) -> Iterator[tuple[int, State]]:
    """Train `spec` and yield each of `steps`, sorted and without repetitions, with the state after it.

    After a divergence the state, which is not finite, no longer changes.

    Raises:
        ValueError: a step is negative.
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    distinct_steps = sorted(set(steps))
    if distinct_steps and distinct_steps[0] < 0:
        raise ValueError(f"Steps are counted from 0, but {distinct_steps[0]} was given.")
    trainer = Trainer(spec)
    for step in distinct_steps:
        trainer.advance_to(step)
        yield step, trainer.state
