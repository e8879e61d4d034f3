"""TensorFlow on one thread, as in a worker; a conftest imports the fixture for its own folder's tests."""

import os

import pytest

# Before a test module imports TensorFlow.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    from bnlab.training.runtime import use_one_thread

    use_one_thread()
