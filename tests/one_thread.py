"""TensorFlow for tests: on one thread, as in a worker, and without XLA. A conftest imports the fixtures it needs."""

import os

import pytest

# Must be set before a test module imports TensorFlow.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    from bnlab.training.runtime import use_one_thread

    use_one_thread()


@pytest.fixture(autouse=True)
def without_xla(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build programs without XLA, which takes seconds to compile each; tests marked `xla` keep it."""
    from bnlab.training import program

    if not request.node.get_closest_marker("xla"):
        monkeypatch.setattr(program, "XLA_ARCHITECTURES", frozenset())
