"""TensorFlow's settings in a worker."""

import logging

import tensorflow as tf

from bnlab.training.runtime import silence_warnings


def test_only_errors_are_logged() -> None:
    logger = tf.get_logger()
    before = logger.level
    try:
        silence_warnings()
        assert not logger.isEnabledFor(logging.WARNING)
        assert logger.isEnabledFor(logging.ERROR)
    finally:
        logger.setLevel(before)
