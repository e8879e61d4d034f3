"""The difference between two models that should predict the same: their logits and their accuracies."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bnlab.training.program import EVALUATION_BATCH


@dataclass(frozen=True)
class ModelComparison:
    """The predictions of two models on the same images, compared.

    Attributes:
        difference: The largest |Δlogit|.
        relative: `difference` relative to the first model's largest |logit|.
        accuracies: The fraction of the images that each model classifies correctly.
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

    The differences are NaN if a logit is not finite.
    """
    predict_functions = [
        tf.function(_logits_and_softmax(model), autograph=False, reduce_retracing=True) for model in (first, second)
    ]
    differences, magnitudes = [], []
    hits = [0, 0]
    for start in range(0, len(images), EVALUATION_BATCH):
        batch = slice(start, start + EVALUATION_BATCH)
        scaled = tf.cast(images[batch], tf.float32) * tf.constant(factor, tf.float32)
        (logits, softmax), (other_logits, other_softmax) = (
            [output.numpy() for output in predict(scaled)] for predict in predict_functions
        )
        with np.errstate(invalid="ignore"):  # ∞ − ∞ after a divergence
            differences.append(np.abs(logits - other_logits).max())
        magnitudes.append(np.abs(logits).max())
        for index, probabilities in enumerate((softmax, other_softmax)):
            hits[index] += int((probabilities.argmax(-1) == labels[batch]).sum())
    difference, magnitude = float(np.max(differences)), float(np.max(magnitudes))
    # If all logits are 0, the difference cannot be relative to them.
    relative = difference / magnitude if magnitude else difference
    return ModelComparison(difference, relative, (hits[0] / len(images), hits[1] / len(images)))


def _logits_and_softmax(model: keras.Sequential) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """A function of scaled images: the inputs of the last layer's softmax, which the model does not output, and it."""
    last = model.layers[-1]
    with_last_input = keras.Model(model.inputs, [last.input, last.output])

    def outputs(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        last_input, softmax = with_last_input(images, training=False)
        return tf.matmul(last_input, last.kernel) + last.bias, softmax

    return outputs
