"""TensorFlow's settings in a worker process: one thread, no warnings on the terminal."""

import tensorflow as tf


def silence_warnings() -> None:
    """Let TensorFlow's Python logger tell errors only.

    It warns of a function traced again and again, which is what measuring many different networks comes to.
    """
    tf.get_logger().setLevel("ERROR")


def use_one_thread() -> None:
    """Limit TensorFlow to one thread.

    Raises:
        RuntimeError: TensorFlow has already run something with more threads in this process.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
