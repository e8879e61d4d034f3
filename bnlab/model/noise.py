"""Noise after normalization, which tests whether stable means and variances are why batch normalization helps."""

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
    """Noise with another mean and scale for every unit at each training step; the identity at inference.

    y = s·x + m, x and y `[batch, ..., units]`. Each step draws for each unit j a mean μ_j ~ U(−0.5, 0.5) and a scale
    σ_j ~ U(1, 1.25), and for each value of that unit m ~ U(μ_j − 0.1, μ_j + 0.1) and s ~ N(σ_j, 0.1), all of them
    independent: the noise of Santurkar et al., How Does Batch Normalization Help Optimization?, 2018, with constants
    chosen here.

    The random numbers are a function of the run's seed, the step and the layer's `index`, so that resumed training
    draws the same ones. Outside a `training_step` with a seed the layer is the identity.

    Args:
        index: Different for each noise layer of a network.
        **kwargs: Arguments of `keras.Layer`.
    """

    def __init__(self, index: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.index = index

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """`inputs` with the noise of the current step, if there is one."""
        current = current_step()
        if not training or current is None or current.seed is None:
            return inputs
        scale, mean = draw_noise(tf.stack([current.seed, current.step]), self.index, tf.shape(inputs))
        return inputs * scale + mean

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The layer's configuration for `from_config`."""
        return {**super().get_config(), "index": self.index}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "BatchNoise":
        """The layer of `config`; models exported by bnlab 0.1 call the index `place`."""
        index = config["place"] if "place" in config else config["index"]
        return cls(index=index, **{name: value for name, value in config.items() if name not in ("place", "index")})


def draw_noise(seed_and_step: tf.Tensor, index: int, shape: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The scales s and means m at a step, both of `shape` = `[batch, ..., units]`; `seed_and_step` is `[2]` int32."""
    key = tf.random.experimental.stateless_fold_in(seed_and_step, index, alg=ALGORITHM)
    unit_mean_key, unit_scale_key, mean_key, scale_key = tf.unstack(tf.random.split(key, 4, alg=ALGORITHM))
    units = shape[-1:]
    unit_means = tf.random.stateless_uniform(units, unit_mean_key, -MEAN_RANGE, MEAN_RANGE, alg=ALGORITHM)
    unit_scales = tf.random.stateless_uniform(units, unit_scale_key, 1.0, MAX_SCALE, alg=ALGORITHM)
    means = unit_means + tf.random.stateless_uniform(shape, mean_key, -SPREAD, SPREAD, alg=ALGORITHM)
    scales = unit_scales + SPREAD * tf.random.stateless_normal(shape, scale_key, alg=ALGORITHM)
    return scales, means
