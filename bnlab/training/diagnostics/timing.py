"""Durations of training steps and of predictions, of several networks in turns.

Networks that are compared take turns, so that a temporary load of the machine slows all of them down.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.model.build import build_model
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec
from bnlab.training.records import LATENCY_BATCHES
from bnlab.training.trainer import Trainer

WARM_UP_STEPS, STEP_TURNS, STEPS_PER_TURN = 100, 41, 50
WARM_UP_PREDICTIONS, PREDICTION_TURNS = 10, 101
MIN_TURNS, MAX_SECONDS = 6, 5.0
"""`time_networks` takes fewer turns with large networks: for MAX_SECONDS per batch size, and at least MIN_TURNS."""

Predict = Callable[[tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class StepTimes:
    """Seconds per training step of a network, and of the same network without normalization.

    NaN if the training diverges before it is measured.
    """

    seconds: float
    without: float


def time_steps(spec: RunSpec) -> StepTimes:
    """Train `spec`, and the same spec without normalization on the same batches, and time their steps in turns.

    The fastest turn of each, since other processes can only make a step slower. Excludes compilation and the first
    steps. If `spec` has no normalization, the same network is measured twice.

    Raises:
        bnlab.specs.datasets.DatasetError: the dataset is not available.
    """
    plain = revise_spec(spec, {"placement": "none", "input_normalization": False, "noise": False})
    trainers = Trainer(spec), Trainer(plain)
    for trainer in trainers:
        trainer.advance_to(WARM_UP_STEPS)
    turns = [[_step_seconds(trainer) for trainer in trainers] for _ in range(STEP_TURNS)]
    seconds, without = (float(fastest) for fastest in np.min(turns, axis=0))
    return StepTimes(seconds, without)


def _step_seconds(trainer: Trainer) -> float:
    """Mean seconds per step over the next STEPS_PER_TURN steps; NaN if the training diverges in them."""
    step, seconds = trainer.step, trainer.seconds
    trainer.advance_to(step + STEPS_PER_TURN)
    taken = trainer.step - step
    return (trainer.seconds - seconds) / taken if taken == STEPS_PER_TURN else float("nan")


def time_predictions(
    first: keras.Sequential, second: keras.Sequential, images: NDArray[np.uint8], factor: float
) -> tuple[dict[int, float], dict[int, float]]:
    """Median seconds of each model to predict one batch of the first `images`, by batch size.

    Excludes the scaling of the images by `factor` and the first predictions, which trace the model and fill the caches.
    """
    predict_functions = [_predict_function(model) for model in (first, second)]
    medians: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for size in LATENCY_BATCHES:
        batch = tf.cast(images[:size], tf.float32) * tf.constant(factor, tf.float32)
        turns = [
            [_prediction_seconds(predict, batch) for predict in predict_functions]
            for _ in range(WARM_UP_PREDICTIONS + PREDICTION_TURNS)
        ]
        for by_size, median in zip(medians, np.median(turns[WARM_UP_PREDICTIONS:], axis=0), strict=True):
            by_size[size] = float(median)
    return medians


def time_networks(specs: Sequence[RunSpec], has_other_work: Callable[[], bool]) -> list[dict[int, float]] | None:
    """Median seconds of each network, with its initial weights, to predict one batch of random images, by batch size.

    Excludes the first predictions, which trace the network and fill the caches.

    Returns:
        One dict for each of `specs`; None as soon as `has_other_work`, which is asked before each prediction.
    """
    predict_functions: list[Predict] = []
    for spec in specs:
        if has_other_work():
            return None
        predict_functions.append(_predict_function(build_model(spec.model_copy(update={"noise": False}))))
    latencies: list[dict[int, float]] = [{} for _ in specs]
    for size in LATENCY_BATCHES:
        batches = [tf.random.stateless_uniform((size, *spec.data.image_shape), (0, size)) for spec in specs]
        predictions = [partial(_prediction_seconds, *call) for call in zip(predict_functions, batches, strict=True)]
        medians = _medians_of_turns(predictions, has_other_work)
        if medians is None:
            return None
        for by_size, median in zip(latencies, medians, strict=True):
            by_size[size] = median
    return latencies


def _medians_of_turns(
    predictions: Sequence[Callable[[], float]], has_other_work: Callable[[], bool]
) -> list[float] | None:
    """The median of each one's seconds over turns in changing order: each finds the caches as the last one left them.

    None as soon as `has_other_work`.
    """
    random = np.random.default_rng(0)
    turns: list[list[float]] = []
    deadline = math.inf
    while len(turns) < WARM_UP_PREDICTIONS + PREDICTION_TURNS:
        if len(turns) >= MIN_TURNS and time.monotonic() > deadline:
            break
        turn = [math.nan] * len(predictions)
        for index in random.permutation(len(predictions)):
            if has_other_work():
                return None
            turn[index] = predictions[index]()
        turns.append(turn)
        if len(turns) == 1:  # which traced
            deadline = time.monotonic() + MAX_SECONDS
    warm_up = min(WARM_UP_PREDICTIONS, len(turns) // 2)
    return [float(median) for median in np.median(turns[warm_up:], axis=0)]


def _predict_function(model: keras.Sequential) -> Predict:
    predict: Predict = tf.function(lambda images: model(images, training=False), autograph=False, reduce_retracing=True)
    return predict


def _prediction_seconds(predict: Predict, batch: tf.Tensor) -> float:
    start = time.perf_counter()
    predict(batch).numpy()
    return time.perf_counter() - start
