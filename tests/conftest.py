"""Settings for all tests: reproducible Hypothesis examples and the grouping of tests by process."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.dataset_files import data_folder
from tests.workers import scheduler

__all__ = ["data_folder", "scheduler"]

# Derandomized, so that a property test fails for everyone or for no one.
settings.register_profile(
    "bnlab", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("bnlab")


@pytest.fixture(autouse=True)
def restore_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo AppTest's replacement of `__main__`, which processes started later would import."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


SHARED = ("browser", "workers")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests that must share a process for pytest-xdist; the long groups start first.

    All browser tests are one group, which shares a browser, a server and a worker, and all tests with workers are
    another, which shares a scheduler: each further worker process would import TensorFlow. Otherwise a group is a file.
    """
    root = Path(__file__).parent
    for item in items:
        group = _shared_group(item) or item.path.relative_to(root).with_suffix("").as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
    order = [*SHARED, None]
    items.sort(key=lambda item: order.index(_shared_group(item)))


def _shared_group(item: pytest.Item) -> str | None:
    return next((marker for marker in SHARED if item.get_closest_marker(marker)), None)
