"""How far two models that should predict the same are apart, and how long each takes."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.training.program import EVALUATION_BATCH
from bnlab.training.records import LATENCY_BATCHES

WARM_UP, TURNS = 10, 101

Predict = Callable[[tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class ModelComparison:
    """What two models say of the same images.

    `difference` is the largest |Δlogit|, `relative` that over the first model's largest |logit|, `accuracies` the
    share of the images that each gets right.
    """

    difference: float
    relative: float
    accuracies: tuple[float, float]


def compare_models(
    first: keras.Sequential,
    second: keras.Sequential,
    images: NDArray[np.uint8],
    labels: NDArray[np.int32],
    factor: float,
) -> ModelComparison:
    """Compare two models, each ending in a Dense softmax, on `images` `[n, ...]` scaled by `factor`.

    Not a number, where the models say nothing that is one.
    """
    predicts = [tf.function(_outputs(model), autograph=False, reduce_retracing=True) for model in (first, second)]
    apart, largest = [], []
    hits = [0, 0]
    for start in range(0, len(images), EVALUATION_BATCH):
        chosen = slice(start, start + EVALUATION_BATCH)
        batch = tf.cast(images[chosen], tf.float32) * tf.constant(factor, tf.float32)
        (one, said), (other, said_too) = ([part.numpy() for part in predict(batch)] for predict in predicts)
        with np.errstate(invalid="ignore"):  # ∞ − ∞, of a run that diverged, is not a number either
            apart.append(np.abs(one - other).max())
        largest.append(np.abs(one).max())
        for place, answers in enumerate((said, said_too)):
            hits[place] += int((answers.argmax(-1) == labels[chosen]).sum())
    difference, scale = float(np.max(apart)), float(np.max(largest))
    # Where all logits are 0 there is nothing to compare with.
    relative = difference / scale if scale else difference
    return ModelComparison(difference, relative, (hits[0] / len(images), hits[1] / len(images)))


def time_predictions(
    first: keras.Sequential, second: keras.Sequential, images: NDArray[np.uint8], factor: float
) -> tuple[dict[int, float], dict[int, float]]:
    """Median seconds that each model takes to predict one batch of the first `images`, by batch size.

    The two take turns, so that whatever slows the machine down for a while slows both; images are scaled beforehand and
    the first turns (which trace, and fill the caches) left out.
    """
    predicts = [tf.function(_softmax(model), autograph=False, reduce_retracing=True) for model in (first, second)]
    medians: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for size in LATENCY_BATCHES:
        batch = tf.cast(images[:size], tf.float32) * tf.constant(factor, tf.float32)
        seconds = [[_timed(predict, batch) for predict in predicts] for _ in range(WARM_UP + TURNS)]
        for own, median in zip(medians, np.median(seconds[WARM_UP:], axis=0), strict=True):
            own[size] = float(median)
    return medians


def _timed(predict: Predict, batch: tf.Tensor) -> float:
    began = time.perf_counter()
    predict(batch).numpy()
    return time.perf_counter() - began


def _softmax(model: keras.Sequential) -> Predict:
    return lambda images: model(images, training=False)


def _outputs(model: keras.Sequential) -> Predict:
    """The logits, which the model itself keeps to itself, and the softmax."""
    last = model.layers[-1]
    both = keras.Model(model.inputs, [last.input, last.output])

    def outputs(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        entering, softmax = both(images, training=False)
        return tf.matmul(entering, last.kernel) + last.bias, softmax

    return outputs
