"""Oracle: plain Keras, trained on the batches of a run."""

import keras
import numpy as np
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.model.datasets import load_arrays
from bnlab.specs.choices import RESCALINGS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.schedule import batch_indices


def batch_at(spec: RunSpec, step: int) -> tuple[np.ndarray, np.ndarray]:
    """The scaled images and labels of step `step` (from 0)."""
    arrays = load_arrays(spec)
    indices = batch_indices(spec, step)
    factor = np.float32(RESCALINGS[spec.rescale].factor)
    return arrays.train_images[indices].astype("float32") * factor, arrays.train_labels[indices]


def train_with_keras(spec: RunSpec, steps: int) -> keras.Model:
    """The model after `steps` steps of SGD."""
    model = build_model(spec)
    model.compile(keras.optimizers.SGD(spec.learning_rate), "sparse_categorical_crossentropy", jit_compile=False)
    for step in range(steps):
        model.train_on_batch(*batch_at(spec, step))
    return model


def keras_gradients(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """The gradients of the trainable variables on one batch, in training mode."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, model(images, training=True)))
    return [gradient.numpy() for gradient in tape.gradient(loss, [v.value for v in model.trainable_variables])]
