"""For every test: the same random examples each time, and which tests share a process."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.workers import scheduler

__all__ = ["scheduler"]

# So that a failure of a property test is nobody's bad luck.
settings.register_profile(
    "bnlab", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("bnlab")


@pytest.fixture(autouse=True)
def own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest leaves its script as the main module, and whoever starts a process then has it imported there."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell pytest-xdist what must share a process, the longest groups first so that the others fill the gaps.

    All browser tests are one group, since they share a browser, a server and a worker. Otherwise a group is a file.
    """
    root = Path(__file__).parent
    files_with_workers = {item.path for item in items if item.get_closest_marker("workers")}
    for item in items:
        is_in_browser = item.get_closest_marker("browser")
        group = "browser" if is_in_browser else item.path.relative_to(root).with_suffix("").as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: (not item.get_closest_marker("browser"), item.path not in files_with_workers))
