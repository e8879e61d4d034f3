"""Dask's preload for workers: TensorFlow is imported before the first run asks for it."""

import os
from functools import cache


@cache
def warm_up() -> None:
    """Import TensorFlow on one thread and read MNIST, once a process.

    Under a scheduler of somebody else's, whose workers know nothing of this module, the first slice calls it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from bnlab.training.threads import use_one_thread

    use_one_thread()
    from bnlab.training.training import load_examples

    load_examples("mnist", "test")


def dask_setup(_worker: object) -> None:
    """Called by Dask when a worker process starts."""
    warm_up()
