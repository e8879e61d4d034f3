"""A Dask scheduler that is external, without workers, and gone; workers that were started elsewhere."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from bnlab.runs import admission, cluster
from bnlab.runs import scheduler as scheduler_module
from bnlab.runs.admission import OTHER_STORE
from bnlab.runs.export import export_runs
from bnlab.runs.run import RunState
from bnlab.runs.scheduler import Scheduler
from bnlab.runs.store import Store
from tests.browser import ROOT
from tests.postgresql import new_postgresql_url, postgresql_server
from tests.runs.store_rows import SPEC, tiny_specs
from tests.sentences import numbers_in
from tests.waiting import wait_until

__all__ = ["new_postgresql_url", "postgresql_server"]

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


@contextmanager
def dask_worker(port: int, folder: Path, *, log: Path, **environment: str) -> Iterator[None]:
    """A worker that is started in `folder`, as by somebody on another machine."""
    arguments = [f"tcp://127.0.0.1:{port}", "--nthreads=1", "--no-nanny", "--no-dashboard"]
    command = [sys.executable, "-m", "distributed.cli.dask_worker", *arguments, "--local-directory", str(folder)]
    variables = {name: value for name, value in os.environ.items() if name not in ("BNLAB_STORE", "PYTHONPATH")}
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=variables | environment, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_a_scheduler_without_workers_and_one_that_is_gone_are_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_module, "RETRY_SECONDS", 0.2)
    monkeypatch.setattr(scheduler_module, "WORKERLESS_SECONDS", 0.5)
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


@pytest.mark.slow
def test_a_lost_worker_is_said_only_if_none_takes_its_place(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    with dask_scheduler(port):
        scheduler = Scheduler(store, scheduler=f"tcp://127.0.0.1:{port}")
        try:
            with dask_worker(port, tmp_path, log=tmp_path / "w.log", PYTHONPATH=str(ROOT), BNLAB_STORE=store.url):
                assert scheduler.submit(os.getpid).result(60) > 0
                run = scheduler.launch(SPEC.model_copy(update={"epochs": 1000}), "endless")
                wait_until(lambda: store.run(run.digest).step > 0)
            lost = scheduler.submit(os.getpid)
            time.sleep(3.0)  # three polls
            assert not lost.done()
            assert scheduler.problem == ""
            monkeypatch.setattr(scheduler_module, "WORKERLESS_SECONDS", 0.0)
            wait_until(lambda: "No workers are connected" in scheduler.problem)
        finally:
            scheduler.close()


@pytest.mark.slow
def test_workers_without_bnlab_or_on_another_store_are_refused_and_others_train(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F5 and F6: no slice is sent to them, the page says why, and no log has a password."""
    monkeypatch.setattr(admission, "RECHECK_SECONDS", 1.0)
    port, folder, log = free_port(), tmp_path / "elsewhere", tmp_path / "worker.log"
    folder.mkdir()
    other_store = f"sqlite:///{folder}/bnlab.db"
    with dask_scheduler(port):
        scheduler = Scheduler(store, scheduler=f"tcp://127.0.0.1:{port}")
        try:
            run = scheduler.launch(SPEC, "waits")
            with dask_worker(port, folder, log=log):
                wait_until(lambda: "there is no bnlab" in scheduler.problem)
            with dask_worker(port, folder, log=log, PYTHONPATH=str(ROOT), BNLAB_STORE=other_store):
                wait_until(lambda: OTHER_STORE in scheduler.problem)
                waiting = store.run(run.digest)
                assert (waiting.state, waiting.step) == (RunState.QUEUED, 0)
                fence = store.next_fence(run.digest, scheduler.owner)
                assert fence == 1, "no slice was begun"
                with dask_worker(port, folder, log=tmp_path / "good.log", PYTHONPATH=str(ROOT), BNLAB_STORE=store.url):
                    assert scheduler.submit(os.getpid).result(60) > 0
                    wait_until(lambda: store.run(run.digest).state is RunState.COMPLETED)
            wait_until(lambda: scheduler.problem == "")
        finally:
            scheduler.close()
    assert not (folder / "bnlab.db").exists()


@pytest.mark.slow
def test_a_worker_takes_its_password_from_its_own_setting(
    new_postgresql_url: Callable[[], str], tmp_path: Path
) -> None:
    """With a user who needs one: neither the tasks nor the worker's log have it."""
    trusted = new_postgresql_url()
    user, password = f"user{secrets.token_hex(4)}", secrets.token_hex(8)
    url = make_url(trusted).set(username=user, password=password).render_as_string(hide_password=False)
    engine = create_engine(trusted)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        connection.exec_driver_sql(f"GRANT ALL ON SCHEMA public TO {user}")
    engine.dispose()
    port, log = free_port(), tmp_path / "worker.log"
    with Store(url) as store, dask_scheduler(port):
        scheduler = Scheduler(store, scheduler=f"tcp://127.0.0.1:{port}")
        try:
            run = scheduler.launch(SPEC, "trains")
            with dask_worker(port, tmp_path, log=log, PYTHONPATH=str(ROOT), BNLAB_STORE=url):
                wait_until(lambda: store.run(run.digest).state is RunState.COMPLETED)
                failed = scheduler.submit(export_runs, "postgresql+psycopg://nobody@/nothing", run.digest, "too many")
                assert failed.exception(60)
        finally:
            scheduler.close()
    text = log.read_text()
    assert "export_runs" in text, "Dask logs what failed, with its arguments"
    assert password not in text
    assert password not in str(failed.exception(0))
