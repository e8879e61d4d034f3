"""TensorFlow's settings in a worker process."""

import keras
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


def free_kernels() -> None:
    """Free the kernels that TensorFlow keeps of every network that was ever built; those in use are made again.

    They take up to 20 MB for each measurement of a network of 30 layers. It takes some milliseconds: compiled programs
    stay, and garbage is not collected.
    """
    keras.backend.clear_session(free_memory=False)
