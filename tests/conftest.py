"""Settings for all tests: reproducible Hypothesis examples and the grouping of tests by process."""

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.dataset_files import data_folder, restored_datasets
from tests.workers import scheduler

__all__ = ["data_folder", "restored_datasets", "scheduler"]

# Browsers, which draw all the time, and servers would leave too little of the processor to the workers they wait for.
os.environ["BNLAB_WORKER_NICENESS"] = "0"

# Derandomized, so that a property test fails for everyone or for no one.
# `--hypothesis-profile=thorough` tries more examples; the parsers have slow tests with thousands of them.
for name, examples in (("quick", 25), ("thorough", 100)):
    settings.register_profile(
        name, derandomize=True, deadline=None, max_examples=examples, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("quick")


@pytest.fixture(autouse=True)
def restore_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo AppTest's replacement of `__main__`, which processes started later would import."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


SHARED = ("browser", "workers")
"""The markers of tests that share something that takes long to start, those that take longest first."""

GROUPS = {
    "test_actions.py": "compare",
    "test_compare.py": "compare",
    "test_navigation.py": "compare",
    "test_monkey.py": "monkey",
    "test_commands_shell.py": "processes",
    "test_server.py": "processes",
}
"""By the file's name, what is a group of its own, so that groups take about as long as each other.

The tests of Compare take about as long as those of all other pages, and the monkey as long as both. Commands and
servers that are started as processes have workers of their own.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest groups first, so that they are not what is waited for in the end."""
    items.sort(key=lambda item: next((i for i, name in enumerate(SHARED) if item.get_closest_marker(name)), 2))


class SharedScheduling(LoadScopeScheduling):
    """Each file is run by one process; all files of a group by the same one.

    The files with tests of a marker in SHARED are a group, since they share a browser and a server, or a scheduler with
    its workers, each of which imports TensorFlow. But the tests in a browser mostly wait: in groups of their own, each
    with its browser, server and worker, they wait at the same time. pytest-xdist's `loadgroup` would do it, but it has
    no effect with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        marker = _shared_marker(path)
        return GROUPS.get(Path(path).name, marker) if marker else path


@cache
def _shared_marker(path: str) -> str | None:
    source = (Path(__file__).parents[1] / path).read_text(encoding="utf-8")
    return next((name for name in SHARED if f"pytest.mark.{name}" in source), None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedScheduling:
    """The hook by which pytest-xdist asks how to distribute tests."""
    return SharedScheduling(config, log)
