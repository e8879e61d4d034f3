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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests that must share a process for pytest-xdist, longest groups first for an even distribution.

    All browser tests are one group, since they share a browser, a server and a worker. Otherwise a group is a file.
    """
    root = Path(__file__).parent
    files_with_workers = {item.path for item in items if item.get_closest_marker("workers")}
    for item in items:
        is_in_browser = item.get_closest_marker("browser")
        group = "browser" if is_in_browser else item.path.relative_to(root).with_suffix("").as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: (not item.get_closest_marker("browser"), item.path not in files_with_workers))
