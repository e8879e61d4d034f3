"""One thread a worker: runs beside each other share the cores, and sums are always taken in one order."""

import tensorflow as tf


def use_one_thread() -> None:
    """Limit TensorFlow to one thread.

    Raises:
        RuntimeError: TensorFlow has already run something with more threads in this process.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
