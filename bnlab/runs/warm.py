"""Dask's preload for workers: TensorFlow is imported before the first run asks for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@cache
def warm_up() -> None:
    """Import TensorFlow on one thread and read MNIST, once a process.

    Under a scheduler of somebody else's, whose workers know nothing of this module, the first slice calls it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _without_stderr():
        from bnlab.training.silence import silence_warnings
        from bnlab.training.threads import use_one_thread

        silence_warnings()
        use_one_thread()
        from bnlab.training.training import load_examples

        load_examples("mnist", "test")


def dask_setup(_worker: object) -> None:
    """Called by Dask when a worker process starts."""
    warm_up()


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Keep TensorFlow's greetings, printed from C++ before any setting can stop them, off the terminal."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
