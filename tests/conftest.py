"""What holds for every test: the same random examples every time, and the long ones first."""

import sys

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


LONG = ("browser", "workers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start browsers or workers come first: where files are shared out, the others fill the gaps."""
    long = {item.path for item in items if any(item.get_closest_marker(mark) for mark in LONG)}
    items.sort(key=lambda item: item.path not in long)
