"""How long a trained network takes to predict."""

import time

import tensorflow as tf

from bnlab.training.program import Batches, Program, State
from bnlab.training.records import LATENCY_BATCHES

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
