"""Durations of training steps and of predictions, of two networks in turns.

Two networks that are compared take turns, so that a temporary load of the machine slows both down.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import revise_spec
from bnlab.training.records import LATENCY_BATCHES
from bnlab.training.trainer import Trainer

WARM_UP_STEPS, STEP_TURNS, STEPS_PER_TURN = 100, 41, 50
WARM_UP_PREDICTIONS, PREDICTION_TURNS = 10, 101

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


def _predict_function(model: keras.Sequential) -> Predict:
    predict: Predict = tf.function(lambda images: model(images, training=False), autograph=False, reduce_retracing=True)
    return predict


def _prediction_seconds(predict: Predict, batch: tf.Tensor) -> float:
    start = time.perf_counter()
    predict(batch).numpy()
    return time.perf_counter() - start
