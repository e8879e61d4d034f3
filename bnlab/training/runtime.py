"""TensorFlow's settings in a worker process."""

import tensorflow as tf


def silence_warnings() -> None:
    """Let TensorFlow's Python logger report errors only.

    It warns of repeated retracing, which is intended where many different networks are measured.
    """
    tf.get_logger().setLevel("ERROR")


def use_one_thread() -> None:
    """Limit TensorFlow to one thread, because each worker trains one run on one core.

    Raises:
        RuntimeError: TensorFlow has already started its thread pools in this process.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
