"""Plain Keras, trained on the run's own batches: what the measurements of a state are held against."""

import keras
import numpy as np
import tensorflow as tf

from bnlab.model.build import build_model
from bnlab.model.datasets import load_arrays
from bnlab.specs.choices import RESCALINGS
from bnlab.specs.run_spec import RunSpec
from bnlab.training.schedule import epoch_order


def batch_at(spec: RunSpec, step: int) -> tuple[np.ndarray, np.ndarray]:
    """The scaled images and labels of the step after `step` steps."""
    arrays = load_arrays(spec)
    epoch, position = divmod(step, spec.steps_per_epoch)
    chosen = epoch_order(spec, epoch)[position * spec.batch_size :][: spec.batch_size]
    factor = np.float32(RESCALINGS[spec.rescale].factor)
    return arrays.train_images[chosen].astype("float32") * factor, arrays.train_labels[chosen]


def trained_by_keras(spec: RunSpec, steps: int) -> keras.Model:
    """The model after `steps` of SGD."""
    model = build_model(spec)
    model.compile(keras.optimizers.SGD(spec.learning_rate), "sparse_categorical_crossentropy", jit_compile=False)
    for step in range(steps):
        model.train_on_batch(*batch_at(spec, step))
    return model


def gradients_of(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Of the trainable variables, in training mode."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, model(images, training=True)))
    return [gradient.numpy() for gradient in tape.gradient(loss, [v.value for v in model.trainable_variables])]
