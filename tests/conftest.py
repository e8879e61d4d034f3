"""Settings for all tests: reproducible Hypothesis examples and the grouping of tests by process."""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

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
"""The markers of tests that share something that takes long to start, those that take longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest groups first, so that they are not what is waited for in the end."""
    items.sort(key=lambda item: next((i for i, name in enumerate(SHARED) if item.get_closest_marker(name)), 2))


class SharedScheduling(LoadScopeScheduling):
    """Each file is run by one process; all files with tests of a marker in SHARED by the same one.

    They share a browser and a server, or a scheduler with its workers, each of which imports TensorFlow. pytest-xdist's
    `loadgroup` would do it, but it has no effect with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return _shared_marker(path) or path


@cache
def _shared_marker(path: str) -> str | None:
    source = (Path(__file__).parents[1] / path).read_text(encoding="utf-8")
    return next((name for name in SHARED if f"pytest.mark.{name}" in source), None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedScheduling:
    """The hook by which pytest-xdist asks how to distribute tests."""
    return SharedScheduling(config, log)
