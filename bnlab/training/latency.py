"""How long a trained network takes to predict."""

import time

import numpy as np
import tensorflow as tf

from bnlab.training.program import Batches, Program, State
from bnlab.training.records import LATENCY_BATCHES

REPEATS = 30


def measure_latencies(program: Program, state: State, data: Batches) -> dict[int, float]:
    """Median seconds of predicting one batch of the first images of `data`, by batch size.

    On one thread, images scaled beforehand, the first call (which traces) left out.
    """
    return {size: _median(program, state, data, size) for size in LATENCY_BATCHES}


def _median(program: Program, state: State, data: Batches, size: int) -> float:
    images = tf.cast(data.images[:size], tf.float32) * data.factor
    seconds = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        program.predict(state.trainable, state.non_trainable, images).numpy()
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds[1:]))
