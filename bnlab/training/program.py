"""The training program: one compiled function takes many steps and carries the state as values.

A loop over Keras variables with a Keras optimizer takes twice as long. Here the loop carries plain tensors through
`stateless_call`; images stay uint8 and are gathered and scaled inside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import keras
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.model.training_step import TrainingStep, training_step
from bnlab.specs.network import describe_network
from bnlab.specs.run_spec import MAX_PROGRAMS, RunSpec, program_key
from bnlab.training.optimizers import UPDATE_RULES, Slots, Tensors, UpdateRule

EVALUATION_BATCH = 1_000
XLA_ARCHITECTURES = frozenset({"dense"})
"""Convolutions are fifteen times slower with XLA on a CPU."""


@dataclass(frozen=True)
class State:
    """The weights, moving statistics and optimizer slots of a training, in Keras's order of variables."""

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
    """The compiled functions of one network and optimizer; see `program_for`.

    `steps` and `short_step` are the same function, with XLA for full batches and without for the smaller last batch of
    an epoch. Each function compiles at its first call.
    """

    def __init__(self, spec: RunSpec, *, xla: bool) -> None:
        self._spec = spec
        self._model = build_model(spec)
        self._rule: UpdateRule = UPDATE_RULES[spec.optimizer]
        self._probe_model = _probe_model(self._model, spec)
        self._hidden_kernels = [
            index
            for index, variable in enumerate(self._model.trainable_variables)
            if variable.name == "kernel" and "output/" not in variable.path
        ]
        # XLA takes a second or more to compile, which full batches repay, but the last, smaller batch of an epoch and
        # the evaluations run too rarely for that.
        self.steps: Callable[..., tuple[tf.Tensor, ...]] = tf.function(self._steps, autograph=False, jit_compile=xla)
        self.short_step: Callable[..., tuple[tf.Tensor, ...]] = tf.function(self._steps, autograph=False)
        self.evaluate: Callable[..., tuple[tf.Tensor, ...]] = tf.function(self._evaluate, autograph=False)
        self.probe: Callable[..., tuple[Tensors, Tensors]] = tf.function(self._probe, autograph=False)

    def initial_state(self, spec: RunSpec) -> State:
        """Keras's initial weights and statistics for `spec`, and zero slots."""
        model = build_model(spec)
        trainable = [tf.identity(variable.value) for variable in model.trainable_variables]
        non_trainable = [tf.identity(variable.value) for variable in model.non_trainable_variables]
        return State(trainable, non_trainable, self._rule.initial_slots(trainable))

    def _steps(
        self,
        trainable: Tensors,
        non_trainable: Tensors,
        slots: Slots,
        data: tuple[tf.Tensor, ...],
        indices: tf.Tensor,
        count: tf.Tensor,
        seed_and_step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        """Take up to `count` steps, and none after the first loss that is not finite.

        Args:
            trainable: Weights before the first step.
            non_trainable: Moving statistics before the first step.
            slots: Optimizer slots before the first step.
            data: Images, labels and factor of the training `Batches`.
            indices: int32 `[rows, batch_size]`: the examples of each step.
            count: The number of steps, at most `rows`.
            seed_and_step: int32 `[2]`: the run's seed and the number of steps taken before.
            learning_rate: float32 scalar.

        Returns:
            (steps taken, trainable, non_trainable, slots, losses, accuracies); losses and accuracies are float32
            `[rows]`, zero beyond the steps taken.
        """
        rows = indices.shape[0]
        seed, first_step = tf.unstack(seed_and_step)

        def unfinished(i: tf.Tensor, *loop: tf.Tensor) -> tf.Tensor:
            return (i < count) & ((i < 1) | tf.math.is_finite(loop[3][tf.maximum(i - 1, 0)]))

        def body(
            i: tf.Tensor, weights: Tensors, statistics: Tensors, weight_slots: Slots, *curves: tf.Tensor
        ) -> tuple[Any, ...]:
            images, labels = gather(Batches(*data), indices[i])
            step = TrainingStep(first_step + i, seed)
            with tf.GradientTape() as tape, training_step(self._spec, self._model, step):
                tape.watch(weights)
                loss, outputs, statistics = batch_loss(self._model, (weights, statistics), images, labels)
            gradients = tape.gradient(loss, weights)
            t = tf.cast(first_step + i + 1, tf.float32)
            weights, weight_slots = self._rule.apply(weights, gradients, weight_slots, learning_rate, t)
            values = (loss, accuracy_of(labels, outputs[-1]))
            curves = tuple(
                tf.tensor_scatter_nd_update(curve, [[i]], [value]) for curve, value in zip(curves, values, strict=True)
            )
            return i + 1, weights, list(statistics), weight_slots, *curves

        start = (tf.constant(0), list(trainable), list(non_trainable), slots, tf.zeros([rows]), tf.zeros([rows]))
        return tf.while_loop(unfinished, body, start)

    def _evaluate(
        self, trainable: Tensors, non_trainable: Tensors, data: tuple[tf.Tensor, ...]
    ) -> tuple[tf.Tensor, ...]:
        """Mean loss and accuracy over `data`, in inference mode, by EVALUATION_BATCH examples and the rest."""
        examples = data[0].shape[0]
        rest = examples % EVALUATION_BATCH

        def add(size: int, i: tf.Tensor, total: tf.Tensor, hits: tf.Tensor) -> tuple[tf.Tensor, ...]:
            images, labels = gather(Batches(*data), i + tf.range(size))
            outputs, _ = self._model.stateless_call(trainable, non_trainable, images, training=False)
            losses = keras.losses.sparse_categorical_crossentropy(labels, outputs)
            return i + size, total + tf.reduce_sum(losses), hits + accuracy_of(labels, outputs) * size

        start = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        end, total, hits = tf.while_loop(lambda i, *_: i < examples - rest, partial(add, EVALUATION_BATCH), start)
        if rest:
            _, total, hits = add(rest, end, total, hits)
        return total / examples, hits / examples

    def _probe(
        self, trainable: Tensors, non_trainable: Tensors, data: tuple[tf.Tensor, ...], step: tf.Tensor
    ) -> tuple[Tensors, Tensors]:
        """Pre-activations `[n, ..., units]` and the kernel's gradient norm of each hidden layer on `data`.

        In training mode after `step` steps, without noise.
        """
        images, labels = gather(Batches(*data), tf.range(data[0].shape[0]))
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
    """The mean loss on scaled `images`, the model's outputs (the softmax last), and the updated moving statistics.

    `state` is (trainable, non_trainable) in Keras's order and replaces the values of the model's variables.
    """
    outputs, statistics = model.stateless_call(*state, images, training=training)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    # Keras takes the logits from the softmax's graph node and computes the numerically stable form, as in `fit`.
    losses = keras.losses.sparse_categorical_crossentropy(labels, outputs[-1])
    return tf.reduce_mean(losses), outputs, statistics


def program_for(spec: RunSpec) -> Program:
    """The program that trains `spec`: one per process for all specs that differ only in RUNTIME_FIELDS.

    It is another one when the dataset's file has been replaced by images of another shape or with other classes.
    """
    shapes = (spec.data.image_shape, spec.data.classes)
    return _program(program_key(spec), shapes, xla=spec.architecture in XLA_ARCHITECTURES)


@lru_cache(maxsize=MAX_PROGRAMS)
def _program(structure: RunSpec, _shapes: object, *, xla: bool) -> Program:
    return Program(structure, xla=xla)


def gather(data: Batches, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The scaled images and the labels at `indices`."""
    images = tf.cast(tf.gather(data.images, indices), tf.float32) * data.factor
    return images, tf.gather(data.labels, indices)


def accuracy_of(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """The share of examples whose largest output, of `[n, classes]`, is their label's."""
    return tf.reduce_mean(tf.cast(tf.argmax(outputs, -1, output_type=tf.int32) == labels, tf.float32))


def _probe_model(model: keras.Sequential, spec: RunSpec) -> keras.Model:
    """`model` with the pre-activations of every hidden layer as further outputs, the softmax last."""
    pre_activations = [model.get_layer(block.pre_activation).output for block in describe_network(spec).blocks]
    return keras.Model(model.inputs[0], [*pre_activations, model.outputs[0]])
