"""Evaluation of the same weights with the moving statistics, with each batch's own, and with re-estimated ones.

The three ways of Wu and Johnson, "Rethinking 'Batch' in BatchNorm" (2021), section 3. Re-estimated (PreciseBN): the
network runs in training mode over batches B of n_B training images, with its weights fixed. From each layer's batch
means μ_B and variances σ_B² follow those of all images together, as in the paper's appendix and its code (fvcore):

    μ = Σ n_B μ_B / Σ n_B,    σ² = Σ n_B (σ_B² + μ_B²) / Σ n_B − μ²,

computed without the cancellation of the last difference (Chan, Golub and LeVeque 1983). The network is then evaluated
in inference mode with these in place of the moving statistics.
"""

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import keras
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.model.training_step import TrainingStep, training_step
from bnlab.specs.network import describe_network
from bnlab.specs.normalizers import NORMALIZERS
from bnlab.specs.run_spec import MAX_PROGRAMS, RunSpec, program_key
from bnlab.training.checkpoint import variable_names
from bnlab.training.data import statistics_batches
from bnlab.training.evaluation import tensors, validate
from bnlab.training.optimizers import Tensors
from bnlab.training.program import Batches, State, accuracy_of, gather, program_for
from bnlab.training.records import (
    REESTIMATED_MEAN,
    REESTIMATED_VARIANCE,
    Evaluation,
    Snapshot,
    evaluation_columns,
)


class StatisticsComparison:
    """Evaluates the states of one run in all ways, on training and on validation images."""

    def __init__(self, spec: RunSpec) -> None:
        """Prepare the images.

        Raises:
            bnlab.specs.datasets.DatasetError: the dataset is not available.
        """
        self._spec = spec
        self._program = program_for(spec)
        self._layers = [layer.name for layer in describe_network(spec).normalizations]
        self._uses_batches = bool(self._layers) and NORMALIZERS[spec.normalizer].uses_batch_statistics
        self._training, self._validation = statistics_batches(spec)

    def extend(self, evaluation: Evaluation, state: State) -> Evaluation:
        """`evaluation` of `state` with the other losses and accuracies, and re-estimated statistics as snapshots.

        A network whose layers use no batch statistics has the same losses in all ways.
        """
        validation = (evaluation.val_loss, evaluation.val_accuracy)
        training = validate(self._program, state, self._training)
        measured = {("training", "moving"): training}
        snapshots = evaluation.snapshots
        if self._uses_batches:
            run = partial(batch_evaluation_for(self._spec), self._spec.batch_size, state, step=evaluation.step)
            measured["validation", "batch"], _ = run(self._validation)
            measured["training", "batch"], moments = run(self._training)
            reestimated = self._with_moments(state, moments)
            measured["validation", "reestimated"] = validate(self._program, reestimated, self._validation)
            measured["training", "reestimated"] = validate(self._program, reestimated, self._training)
            snapshots = self._with_snapshots(snapshots, moments)
        else:
            measured |= {("validation", way): validation for way in ("batch", "reestimated")}
            measured |= {("training", way): training for way in ("batch", "reestimated")}
        columns = {
            name: float(value)
            for key, values in measured.items()
            for name, value in zip(evaluation_columns(*key), values, strict=True)
        }
        return replace(evaluation, snapshots=snapshots, by_statistics=columns)

    def _with_moments(self, state: State, moments: list[tuple[tf.Tensor, tf.Tensor]]) -> State:
        """`state` with the layers' mean and variance in place of the moving ones."""
        roles: dict[str, str] = {
            variable.role: variable.name for variable in NORMALIZERS[self._spec.normalizer].variables
        }
        values = {
            f"{layer}/{roles[role]}": value
            for layer, pair in zip(self._layers, moments, strict=True)
            for role, value in zip(("mean", "variance"), pair, strict=True)
        }
        names = variable_names(self._spec, trainable=False)
        statistics = [values.get(name, value) for name, value in zip(names, state.non_trainable, strict=True)]
        return State(state.trainable, statistics, state.slots)

    def _with_snapshots(
        self, snapshots: tuple[Snapshot, ...], moments: list[tuple[tf.Tensor, tf.Tensor]]
    ) -> tuple[Snapshot, ...]:
        added = {
            layer: {REESTIMATED_MEAN: mean.numpy(), REESTIMATED_VARIANCE: variance.numpy()}
            for layer, (mean, variance) in zip(self._layers, moments, strict=True)
        }
        return tuple(replace(snapshot, values=snapshot.values | added[snapshot.layer]) for snapshot in snapshots)


class BatchEvaluation:
    """The compiled evaluation of one network in training mode; see `batch_evaluation_for`."""

    def __init__(self, spec: RunSpec) -> None:
        self._spec = spec
        model = build_model(spec)
        inputs = [model.get_layer(layer.name).input for layer in describe_network(spec).normalizations]
        self._model = keras.Model(model.inputs[0], [*inputs, model.outputs[0]])
        self._units = [int(tensor.shape[-1]) for tensor in inputs]
        self._compiled: Any = tf.function(self._run, autograph=False)

    def __call__(
        self, batch_size: int, state: State, data: Batches, *, step: int
    ) -> tuple[tuple[float, float], list[tuple[tf.Tensor, tf.Tensor]]]:
        """Mean loss and accuracy over `data`, and the mean and variance of each normalization layer's inputs.

        In training mode after `step` steps, without noise, by batches of `batch_size`; the last may be smaller.
        """
        loss, accuracy, moments = self._compiled(
            state.trainable, state.non_trainable, tensors(data), tf.constant(step), batch_size
        )
        return (float(loss), float(accuracy)), moments

    def _run(
        self,
        trainable: Tensors,
        non_trainable: Tensors,
        data: tuple[tf.Tensor, ...],
        step: tf.Tensor,
        batch_size: int,
    ) -> tuple[Any, ...]:
        examples = data[0].shape[0]
        rest = examples % batch_size

        def add(
            size: int, i: tf.Tensor, loss: tf.Tensor, hits: tf.Tensor, *moments: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            images, labels = gather(Batches(*data), i + tf.range(size))
            with training_step(self._spec, self._model, TrainingStep(step)):
                (*inputs, outputs), _ = self._model.stateless_call(trainable, non_trainable, images, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(labels, outputs)
            merged = [
                value
                for values, mean, squares in zip(inputs, moments[::2], moments[1::2], strict=True)
                for value in _merge(tf.cast(i, tf.float32), mean, squares, float(size), values)
            ]
            return i + size, loss + tf.reduce_sum(losses), hits + accuracy_of(labels, outputs) * size, *merged

        zeros = [tf.zeros([units]) for units in self._units for _ in range(2)]
        start = (tf.constant(0), tf.constant(0.0), tf.constant(0.0), *zeros)
        end, loss, hits, *moments = tf.while_loop(lambda i, *_: i < examples - rest, partial(add, batch_size), start)
        if rest:
            _, loss, hits, *moments = add(rest, end, loss, hits, *moments)
        pairs = [(mean, squares / examples) for mean, squares in zip(moments[::2], moments[1::2], strict=True)]
        return loss / examples, hits / examples, pairs


def _merge(
    seen: tf.Tensor, mean: tf.Tensor, squares: tf.Tensor, size: float, values: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean, and sum of squared deviations from it by example, after a further batch of `size` examples.

    `values` are `[size, ..., units]`; places of a convolution count as parts of their example.
    """
    batch_mean, batch_variance = tf.nn.moments(values, list(range(len(values.shape) - 1)))
    difference = batch_mean - mean
    total = seen + size
    return mean + difference * (size / total), squares + size * (batch_variance + difference**2 * (seen / total))


def batch_evaluation_for(spec: RunSpec) -> BatchEvaluation:
    """The evaluation of `spec`'s network: one per process for all specs that share a program."""
    return _batch_evaluation(program_key(spec), (spec.data.image_shape, spec.data.classes))


@lru_cache(maxsize=MAX_PROGRAMS)
def _batch_evaluation(structure: RunSpec, _shapes: object) -> BatchEvaluation:
    return BatchEvaluation(structure)
