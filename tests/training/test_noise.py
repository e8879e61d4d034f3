"""BN followed by noise in the training program, against plain Keras with the same noise."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.model.noise import draw_noise
from bnlab.specs.run_spec import RunSpec
from bnlab.training.program import program_for
from bnlab.training.trainer import Trainer

SPEC = RunSpec(placement="before_activation", noise=True, hidden_units=(12, 9), activation="tanh", learning_rate=0.5)
EXAMPLES, SEED_AND_STEP = 20, [5, 41]
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (EXAMPLES, 28, 28)).astype(np.uint8)
LABELS = RNG.integers(0, 10, EXAMPLES).astype(np.int32)


class Affine(keras.layers.Layer):
    """The noise of the oracle: a fixed scale and shift."""

    def __init__(self, scale: np.ndarray, shift: np.ndarray, name: str) -> None:
        super().__init__(name=name)
        self.scale, self.shift = scale, shift

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs * self.scale + self.shift


def keras_step(xla: bool) -> tuple[float, list[np.ndarray]]:
    draw = tf.function(draw_noise, jit_compile=xla)
    layers = []
    for layer in build_model(SPEC).layers:
        if layer.name.startswith("noise"):
            shape = tf.constant([EXAMPLES, layer.output.shape[-1]])
            gain, offset = map(np.asarray, draw(tf.constant(SEED_AND_STEP), layer.index, shape))
            layers.append(Affine(gain, offset, layer.name))
        else:
            layers.append(layer)
    model = keras.Sequential([keras.Input((28, 28)), *layers])
    model.compile(keras.optimizers.SGD(SPEC.learning_rate), "sparse_categorical_crossentropy", jit_compile=False)
    loss = model.train_on_batch(IMAGES / np.float32(255), LABELS)
    return float(loss), [v.numpy() for v in (*model.trainable_variables, *model.non_trainable_variables)]


@pytest.mark.xla
@pytest.mark.parametrize("xla", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_step_agrees_with_keras(xla: bool) -> None:
    program = program_for(SPEC)
    run = program.steps if xla else program.short_step
    state = program.initial_state(SPEC)
    _, trainable, non_trainable, _, loss, _ = run(
        state.trainable,
        state.non_trainable,
        state.slots,
        (tf.constant(IMAGES), tf.constant(LABELS), tf.constant(1 / 255, tf.float32)),
        tf.range(EXAMPLES)[None, :],
        tf.constant(1),
        tf.constant(SEED_AND_STEP),
        tf.constant(SPEC.learning_rate),
    )
    expected, weights = keras_step(xla)
    assert float(loss[0]) == pytest.approx(expected, rel=1e-5)
    for actual, weight in zip([*trainable, *non_trainable], weights, strict=True):
        np.testing.assert_allclose(actual.numpy(), weight, rtol=1e-3, atol=1e-5)


def test_noise_differs_between_seeds_and_steps() -> None:
    """Only the noise differs between these steps: there is one batch, and the learning rate is negligible."""
    changes = {"train_examples": 4, "batch_size": 4, "epochs": 3, "learning_rate": 1e-30, "kernel_initializer": "ones"}
    changes |= {"hidden_units": (4,)}
    losses = []
    for seed in (0, 1):
        trainer = Trainer(SPEC.model_copy(update={**changes, "seed": seed}))
        while not trainer.finished:
            losses += trainer.advance().loss.tolist()
    assert len(losses) == 6
    assert len(set(np.round(losses, 5))) == 6
