"""Evaluation of a state: validation, hidden layers on a fixed batch, snapshots of normalization layers, latency."""

import time

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.specs.network import Network, describe_network
from bnlab.specs.run_spec import RunSpec
from bnlab.training.checkpoint import save_state
from bnlab.training.program import Batches, Program, State
from bnlab.training.records import LATENCY_BATCHES, PERCENTILES, Evaluation, LayerRecord, Snapshot

PROBE_EXAMPLES = 128
"""The fixed batch of the layer probes: the first training examples, in the dataset's order."""


def evaluate(
    spec: RunSpec, program: Program, state: State, validation: Batches, probe: Batches, step: int, seconds: float
) -> Evaluation:
    """Everything recorded at one moment; `state` is not changed."""
    loss, accuracy = validate(program, state, validation)
    network = describe_network(spec)
    layers = _layer_records(network, program, state, probe, step)
    snapshots = _snapshots(network, save_state(spec, state))
    return Evaluation(step, seconds, loss, accuracy, layers, snapshots)


def validate(program: Program, state: State, validation: Batches) -> tuple[float, float]:
    """Mean loss and accuracy on the validation examples, in inference mode."""
    loss, accuracy = program.evaluate(state.trainable, state.non_trainable, _tensors(validation))
    return float(loss), float(accuracy)


def _layer_records(
    network: Network, program: Program, state: State, probe: Batches, step: int
) -> tuple[LayerRecord, ...]:
    inner, gradient_norms = program.probe(state.trainable, state.non_trainable, _tensors(probe), tf.constant(step))
    rows = zip(network.blocks, gradient_norms, program.weight_norms(state), inner, strict=True)
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
        Snapshot(layer.name, {v.name: arrays[f"{layer.name}/{v.name}"] for v in layer.variables})
        for layer in network.normalizations
    )


def _tensors(data: Batches) -> tuple[tf.Tensor, ...]:
    return data.images, data.labels, data.factor


REPEATS = 30


def measure_latencies(program: Program, state: State, data: Batches) -> dict[int, float]:
    """Seconds of predicting one batch of the first images of `data`, by batch size: the fastest of REPEATS.

    On one thread, images scaled beforehand, the first call (which traces) left out. What else runs on the machine only
    ever makes a prediction slower, so the fastest is the one that can be repeated.
    """
    return {size: _fastest(program, state, data, size) for size in LATENCY_BATCHES}


def _fastest(program: Program, state: State, data: Batches, size: int) -> float:
    images = tf.cast(data.images[:size], tf.float32) * data.factor
    seconds = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        program.predict(state.trainable, state.non_trainable, images).numpy()
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])
