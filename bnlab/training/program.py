"""The training program: whole chunks of steps inside one compiled function, the state carried as values.

Keras variables and a Keras optimizer inside the loop cost twice the time (platform notes); here the loop carries
plain tensors through `stateless_call`, images stay uint8 and are gathered and scaled inside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import keras
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.model.training_step import TrainingStep, training_step
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import MAX_PROGRAMS, RunSpec, program_key
from bnlab.training.optimizers import UPDATE_RULES, Slots, Tensors, UpdateRule

Values = tuple[Any, ...]

EVALUATION_BATCH = 1_000


@dataclass(frozen=True)
class State:
    """What a step changes: the weights, the moving statistics and the optimizer's slots, in Keras's order."""

    trainable: Tensors
    non_trainable: Tensors
    slots: Slots


@dataclass(frozen=True)
class Batches:
    """Examples on the device: `images` uint8 `[n, ...]`, `labels` int32 `[n]`, `factor` scales the pixels."""

    images: tf.Tensor
    labels: tf.Tensor
    factor: tf.Tensor


class Program:
    """The compiled functions of one network and optimizer; see `program_for`."""

    def __init__(self, spec: RunSpec) -> None:
        """Trace nothing yet: each function compiles at its first call."""
        self._spec = spec
        self._model = build_model(spec)
        self._rule: UpdateRule = UPDATE_RULES[spec.optimizer]
        self._probe_model = _probe_model(self._model, spec)
        self._hidden_kernels = [
            index
            for index, variable in enumerate(self._model.trainable_variables)
            if variable.name == "kernel" and "output/" not in variable.path
        ]
        # XLA compiles for a second or so and wins on every later step, but for convolutions, which it slows down
        # fifteenfold on a CPU; the last, smaller batch of an epoch and the measurements run too seldom to repay that.
        self.steps: Callable[..., tuple[tf.Tensor, ...]] = tf.function(
            self._steps, autograph=False, jit_compile=spec.architecture == "dense"
        )
        self.short_step: Callable[..., tuple[tf.Tensor, ...]] = tf.function(self._steps, autograph=False)
        self.evaluate: Callable[..., tuple[tf.Tensor, ...]] = tf.function(self._evaluate, autograph=False)
        self.predict: Callable[..., tf.Tensor] = tf.function(self._predict, autograph=False, reduce_retracing=True)
        self.probe: Callable[..., tuple[Tensors, Tensors]] = tf.function(self._probe, autograph=False)

    def initial_state(self, spec: RunSpec) -> State:
        """Keras's own initial weights and statistics for `spec`, and empty slots."""
        model = build_model(spec)
        trainable = [tf.identity(v.value) for v in model.trainable_variables]
        non_trainable = [tf.identity(v.value) for v in model.non_trainable_variables]
        return State(trainable, non_trainable, self._rule.initial_slots(trainable))

    def _steps(
        self,
        trainable: Tensors,
        non_trainable: Tensors,
        slots: Slots,
        data: tuple[tf.Tensor, ...],
        indices: tf.Tensor,
        count: tf.Tensor,
        position: tf.Tensor,
        rate: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        """Up to `count` steps over the rows of `indices`; stops after the first loss that is not finite.

        `position` is `[2]`: the run's seed and the steps taken before. Returns (steps taken, trainable, non_trainable,
        slots, losses, accuracies); losses and accuracies are `[rows]`, zero beyond the steps taken.
        """
        rows = indices.shape[0]
        seed, done = tf.unstack(position)

        def unfinished(i: tf.Tensor, *loop: tf.Tensor) -> tf.Tensor:
            return (i < count) & ((i < 1) | tf.math.is_finite(loop[3][tf.maximum(i - 1, 0)]))

        def body(
            i: tf.Tensor, weights: Tensors, statistics: Tensors, memory: Slots, *curves: tf.Tensor
        ) -> tuple[Any, ...]:
            images, labels = _gather(Batches(*data), indices[i])
            step = TrainingStep(done + i, seed)
            with tf.GradientTape() as tape, training_step(self._spec, self._model, step):
                tape.watch(weights)
                loss, outputs, statistics = batch_loss(self._model, (weights, statistics), images, labels)
            gradients = tape.gradient(loss, weights)
            t = tf.cast(done + i + 1, tf.float32)
            weights, memory = self._rule.apply(weights, gradients, memory, rate, t)
            measured = (loss, _accuracy(labels, outputs[-1]))
            written = [tf.tensor_scatter_nd_update(c, [[i]], [m]) for c, m in zip(curves, measured, strict=True)]
            return i + 1, weights, list(statistics), memory, *written

        start = (tf.constant(0), list(trainable), list(non_trainable), slots, tf.zeros([rows]), tf.zeros([rows]))
        return tf.while_loop(unfinished, body, start)

    def _evaluate(
        self, trainable: Tensors, non_trainable: Tensors, data: tuple[tf.Tensor, ...]
    ) -> tuple[tf.Tensor, ...]:
        """(mean loss, accuracy) over all of `data`, whose length EVALUATION_BATCH divides, in inference mode."""
        examples = data[0].shape[0]

        def body(i: tf.Tensor, total: tf.Tensor, hits: tf.Tensor) -> tuple[tf.Tensor, ...]:
            images, labels = _gather(Batches(*data), i + tf.range(EVALUATION_BATCH))
            outputs, _ = self._model.stateless_call(trainable, non_trainable, images, training=False)
            losses = keras.losses.sparse_categorical_crossentropy(labels, outputs)
            right = _accuracy(labels, outputs) * EVALUATION_BATCH
            return i + EVALUATION_BATCH, total + tf.reduce_sum(losses), hits + right

        start = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        _, total, hits = tf.while_loop(lambda i, *_: i < examples, body, start)
        return total / examples, hits / examples

    def _predict(self, trainable: Tensors, non_trainable: Tensors, images: tf.Tensor) -> tf.Tensor:
        """The softmax `[n, classes]` of scaled `images`, in inference mode."""
        outputs, _ = self._model.stateless_call(trainable, non_trainable, images, training=False)
        return outputs

    def _probe(
        self, trainable: Tensors, non_trainable: Tensors, data: tuple[tf.Tensor, ...], step: tf.Tensor
    ) -> tuple[Tensors, Tensors]:
        """Per hidden layer: pre-activations `[n, units]` and the gradient's norm, on `data` as if trained on.

        In the training step after `step` steps, but without its noise.
        """
        images, labels = _gather(Batches(*data), tf.range(data[0].shape[0]))
        kernels = [trainable[index] for index in self._hidden_kernels]
        with tf.GradientTape() as tape, training_step(self._spec, self._probe_model, TrainingStep(step)):
            tape.watch(kernels)
            loss, outputs, _ = batch_loss(self._probe_model, (trainable, non_trainable), images, labels)
        return outputs[:-1], [tf.norm(gradient) for gradient in tape.gradient(loss, kernels)]

    def weight_norms(self, state: State) -> Tensors:
        """The Frobenius norm of each hidden kernel."""
        return [tf.norm(state.trainable[index]) for index in self._hidden_kernels]


def batch_loss(
    model: keras.Model, state: tuple[Tensors, Tensors], images: tf.Tensor, labels: tf.Tensor, *, training: bool = True
) -> tuple[tf.Tensor, list[tf.Tensor], Tensors]:
    """The mean loss on scaled `images`, the model's outputs (the softmax last), and the moving statistics afterwards.

    `state` is (trainable, non_trainable) in Keras's order; the model's own variables are not used.
    """
    outputs, statistics = model.stateless_call(*state, images, training=training)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    # Keras finds the logits behind the softmax and takes the stable form, as `fit` does.
    losses = keras.losses.sparse_categorical_crossentropy(labels, outputs[-1])
    return tf.reduce_mean(losses), outputs, statistics


def program_for(spec: RunSpec) -> Program:
    """The program that trains `spec`, compiled once a process for all specs that differ only in values."""
    return _program(program_key(spec))


@lru_cache(maxsize=MAX_PROGRAMS)
def _program(structure: RunSpec) -> Program:
    return Program(structure)


def _gather(data: Batches, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    images = tf.cast(tf.gather(data.images, indices), tf.float32) * data.factor
    return images, tf.gather(data.labels, indices)


def _accuracy(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.cast(tf.argmax(outputs, -1, output_type=tf.int32) == labels, tf.float32))


def _probe_model(model: keras.Sequential, spec: RunSpec) -> keras.Model:
    """`model` with every hidden layer's pre-activation put out as well, the softmax last."""
    inner = [model.get_layer(block.pre_activation).output for block in describe_network(spec).blocks]
    return keras.Model(model.inputs[0], [*inner, model.outputs[0]])
