"""A Dask scheduler that is external, without workers, and gone."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bnlab.runs import cluster
from bnlab.runs import scheduler as scheduler_module
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from tests.runs.store_rows import tiny_specs
from tests.sentences import numbers_in
from tests.waiting import wait_until

pytestmark = pytest.mark.workers


@contextmanager
def dask_scheduler(port: int) -> Iterator[None]:
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show"]
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_scheduler_without_workers_and_one_that_is_gone_are_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_module, "RETRY_SECONDS", 0.2)
    monkeypatch.setattr(cluster, "CONNECT_TIMEOUT_SECONDS", 1)
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    scheduler = Scheduler(store, scheduler=address)
    try:
        scheduler.launch_runs(tiny_specs(*range(4)))
        for _ in range(2):
            wait_until(
                lambda: scheduler.problem.startswith("No Dask scheduler answers") and address in scheduler.problem
            )
            with dask_scheduler(port):
                wait_until(lambda: "No workers are connected" in scheduler.problem)
                assert numbers_in(scheduler.problem.split(";")[1]) == [4]
        assert {run.state for run in store.runs()} == {RunState.QUEUED}
    finally:
        scheduler.close()
