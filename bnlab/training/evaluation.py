"""Evaluation of a training state: validation, hidden layers on the probe batch, and snapshots."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.specs.network import Network, describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.checkpoint import save_state
from bnlab.training.program import Batches, Program, State
from bnlab.training.records import PERCENTILES, Evaluation, LayerRecord, Snapshot


def evaluate(
    spec: RunSpec, program: Program, state: State, validation: Batches, probe: Batches, step: int, seconds: float
) -> Evaluation:
    """The evaluation of `state` after `step` steps, which took `seconds`."""
    loss, accuracy = validate(program, state, validation)
    network = describe_network(spec)
    layers = _layer_records(network, program, state, probe, step)
    snapshots = _snapshots(network, save_state(spec, state))
    return Evaluation(step, seconds, loss, accuracy, layers, snapshots)


def validate(program: Program, state: State, validation: Batches) -> tuple[float, float]:
    """Mean loss and accuracy on the validation examples, in inference mode."""
    loss, accuracy = program.evaluate(state.trainable, state.non_trainable, tensors(validation))
    return float(loss), float(accuracy)


def _layer_records(
    network: Network, program: Program, state: State, probe: Batches, step: int
) -> tuple[LayerRecord, ...]:
    pre_activations, gradient_norms = program.probe(
        state.trainable, state.non_trainable, tensors(probe), tf.constant(step)
    )
    rows = zip(network.blocks, gradient_norms, program.weight_norms(state), pre_activations, strict=True)
    return tuple(
        LayerRecord(block.dense, float(gradient), float(weight), _percentiles(values.numpy()))
        for block, gradient, weight, values in rows
    )


def _percentiles(values: NDArray[np.float32]) -> tuple[float, ...]:
    if not np.isfinite(values).all():
        return (float("nan"),) * len(PERCENTILES)
    return tuple(np.percentile(values, PERCENTILES).tolist())


def _snapshots(network: Network, arrays: dict[str, NDArray[np.float32]]) -> tuple[Snapshot, ...]:
    return tuple(
        Snapshot(layer.name, {variable.name: arrays[f"{layer.name}/{variable.name}"] for variable in layer.variables})
        for layer in network.normalizations
    )


def tensors(data: Batches) -> tuple[tf.Tensor, ...]:
    """The arguments that compiled functions take for `data`."""
    return data.images, data.labels, data.factor
