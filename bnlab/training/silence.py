"""TensorFlow's advice to programmers, kept off the user's terminal."""

import tensorflow as tf


def silence_warnings() -> None:
    """Let TensorFlow's Python logger tell errors only.

    It warns of a function traced again and again, which is what measuring many different networks comes to.
    """
    tf.get_logger().setLevel("ERROR")
