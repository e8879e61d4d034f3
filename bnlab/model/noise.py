"""Noise after batch normalization, which undoes its stable moments to see whether they were the gain."""

from typing import Any

import keras
import tensorflow as tf

from bnlab.model.training_step import current_step

MEAN_RANGE = 0.5
MAX_SCALE = 1.25
SPREAD = 0.1
ALGORITHM = "philox"


@keras.saving.register_keras_serializable("bnlab")
class BatchNoise(keras.Layer):
    """Gives every unit another mean and another spread at each step of training; the identity at inference.

    y = s·x + m, x and y `[batch, ..., units]`. Each step draws for each unit j a mean μ_j ~ U(−0.5, 0.5) and a scale
    σ_j ~ U(1, 1.25), and for each value of that unit m ~ U(μ_j − 0.1, μ_j + 0.1) and s ~ N(σ_j, 0.1), all of them
    independent: the noise of Santurkar et al., How Does Batch Normalization Help Optimization?, 2018. The constants are
    this module's.

    The numbers are a function of the run's seed, the step and the layer's `place` alone, so that a training cut into
    pieces draws the same. Outside a `training_step` with a seed nothing is drawn.
    """

    def __init__(self, place: int, **kwargs: Any) -> None:
        """`place` tells the noise layers of one network apart."""
        super().__init__(**kwargs)
        self.place = place

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """`inputs` with this step's noise, or as they are."""
        current = current_step()
        if not training or current is None or current.seed is None:
            return inputs
        scale, mean = draw_noise(tf.stack([current.seed, current.step]), self.place, tf.shape(inputs))
        return inputs * scale + mean

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Keras's own and the place."""
        return {**super().get_config(), "place": self.place}


def draw_noise(moment: tf.Tensor, place: int, shape: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The scales s and means m of `moment` (seed, step), both of `shape` = `[batch, ..., units]`."""
    key = tf.random.experimental.stateless_fold_in(moment, place, alg=ALGORITHM)
    of_mean, of_scale, of_means, of_scales = tf.unstack(tf.random.split(key, 4, alg=ALGORITHM))
    units = shape[-1:]
    mean = tf.random.stateless_uniform(units, of_mean, -MEAN_RANGE, MEAN_RANGE, alg=ALGORITHM)
    scale = tf.random.stateless_uniform(units, of_scale, 1.0, MAX_SCALE, alg=ALGORITHM)
    means = mean + tf.random.stateless_uniform(shape, of_means, -SPREAD, SPREAD, alg=ALGORITHM)
    scales = scale + SPREAD * tf.random.stateless_normal(shape, of_scales, alg=ALGORITHM)
    return scales, means
