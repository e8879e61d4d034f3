"""TensorFlow on one thread, as in a worker. A conftest imports the fixture for the tests in its folder."""

import os

import pytest

# Must be set before a test module imports TensorFlow.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    from bnlab.training.runtime import use_one_thread

    use_one_thread()
